/** Wheel, drag, pinch, hover and clicks on the canvas, as moves of the chart. */
import { panBy, zoomAt } from '../flame/viewport.ts';
import type { Chart } from './chart.ts';

export interface PointerEvents {
  readonly onHover: (frame: number, x: number, y: number) => void;
  readonly onLeave: () => void;
  readonly onSelect: (frame: number) => void;
  readonly onZoom: (frame: number) => void;
  /** The view was moved by hand. */
  readonly onMove: () => void;
}

/** Zoom for a pixel of the wheel; about 15 % for a usual notch. */
const WHEEL_ZOOM = 0.0015;
/** Pixels in a line of a wheel that counts in lines. */
const LINE_PIXELS = 16;
/** A pointer that has moved less was a click. */
const CLICK_SLACK = 4;

interface Finger {
  x: number;
  y: number;
}

export function attachPointer(chart: Chart, events: PointerEvents): void {
  const { canvas } = chart;
  const fingers = new Map<number, Finger>();
  let travelled = 0;
  const at = (event: MouseEvent): Finger => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE_PIXELS;
      const { x } = at(event);
      if (event.shiftKey) chart.setView(panBy(chart.view, chart.bounds, event.deltaX * unit, event.deltaY * unit));
      else {
        const zoomed = zoomAt(chart.view, chart.bounds, x, Math.exp(event.deltaY * unit * WHEEL_ZOOM));
        chart.setView(event.deltaX === 0 ? zoomed : panBy(zoomed, chart.bounds, event.deltaX * unit, 0));
      }
      events.onMove();
    },
    { passive: false },
  );

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, at(event));
    if (fingers.size === 1) travelled = 0;
  });

  canvas.addEventListener('pointermove', (event) => {
    const now = at(event);
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) {
      events.onHover(chart.frameAt(now.x, now.y), event.clientX, event.clientY);
      return;
    }
    const [one, other] = [...fingers.values()];
    if (one !== undefined && other !== undefined) {
      const still = finger === one ? other : one;
      const [apart, before] = [Math.abs(now.x - still.x), Math.abs(finger.x - still.x)];
      const middle = (now.x + still.x) / 2;
      const zoomed = zoomAt(chart.view, chart.bounds, middle, Math.max(before, 8) / Math.max(apart, 8));
      chart.setView(panBy(zoomed, chart.bounds, (finger.x - now.x) / 2, (finger.y - now.y) / 2));
      travelled = Number.POSITIVE_INFINITY;
    } else {
      travelled += Math.abs(now.x - finger.x) + Math.abs(now.y - finger.y);
      if (travelled >= CLICK_SLACK) {
        events.onLeave();
        chart.setView(panBy(chart.view, chart.bounds, finger.x - now.x, finger.y - now.y));
      }
    }
    finger.x = now.x;
    finger.y = now.y;
    if (travelled >= CLICK_SLACK) events.onMove();
  });

  const lift = (event: PointerEvent): void => {
    const wasDown = fingers.delete(event.pointerId);
    if (!wasDown || fingers.size > 0 || event.type === 'pointercancel' || travelled >= CLICK_SLACK) return;
    const { x, y } = at(event);
    events.onSelect(chart.frameAt(x, y));
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener('pointerleave', () => events.onLeave());
  canvas.addEventListener('dblclick', (event) => {
    const { x, y } = at(event);
    const frame = chart.frameAt(x, y);
    if (frame >= 0) events.onZoom(frame);
  });
}
