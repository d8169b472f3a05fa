/** The keyboard: everything that the pointer can do, and the walk from frame to frame. */
import { childrenOf } from '../flame/find-frame.ts';
import type { FlameLayout } from '../flame/layout.ts';
import { panBy, zoomAt } from '../flame/viewport.ts';
import type { Chart } from './chart.ts';

export interface KeyEvents {
  readonly onSelect: (frame: number) => void;
  readonly onZoom: (frame: number) => void;
  /** Step by step out of what one is in. */
  readonly onEscape: () => void;
  readonly onReset: () => void;
  readonly onSearch: () => void;
  readonly onNextMatch: (step: 1 | -1) => void;
  readonly onView: (number: number) => void;
  readonly onMove: () => void;
}

export const KEY_WORDS: readonly (readonly [keys: string, does: string])[] = [
  ['W / S', 'zoom in, out'],
  ['A / D', 'move left, right'],
  ['Arrows', 'walk from frame to frame'],
  ['Enter', 'zoom to the frame'],
  ['Esc', 'step out: search, zoom, frame'],
  ['0', 'see everything'],
  ['/', 'search'],
  ['n / N', 'next, previous match'],
  ['1 2 3', 'choose a view'],
];

const ZOOM = 0.8;
const PAN_SHARE = 0.1;

/** Keys count while the chart has the focus; `/`, `n`, `N` and Esc do everywhere but in fields. */
export function attachKeys(chart: Chart, events: KeyEvents): void {
  const onChart: Record<string, () => void> = {
    w: () => move(zoomAt(chart.view, chart.bounds, chart.bounds.width / 2, ZOOM)),
    s: () => move(zoomAt(chart.view, chart.bounds, chart.bounds.width / 2, 1 / ZOOM)),
    a: () => move(panBy(chart.view, chart.bounds, -chart.bounds.width * PAN_SHARE, 0)),
    d: () => move(panBy(chart.view, chart.bounds, chart.bounds.width * PAN_SHARE, 0)),
    ArrowUp: () => walk(parentOf),
    ArrowDown: () => walk(widestChildOf),
    ArrowLeft: () => walk((layout, frame) => siblingOf(layout, frame, -1)),
    ArrowRight: () => walk((layout, frame) => siblingOf(layout, frame, 1)),
    PageUp: () => move(panBy(chart.view, chart.bounds, 0, -chart.bounds.height * 0.8)),
    PageDown: () => move(panBy(chart.view, chart.bounds, 0, chart.bounds.height * 0.8)),
    Enter: () => {
      if (chart.selected >= 0) events.onZoom(chart.selected);
    },
    '0': () => events.onReset(),
    '1': () => events.onView(0),
    '2': () => events.onView(1),
    '3': () => events.onView(2),
  };
  const anywhere: Record<string, () => void> = {
    '/': () => events.onSearch(),
    n: () => events.onNextMatch(1),
    N: () => events.onNextMatch(-1),
    Escape: () => events.onEscape(),
  };
  const move = (view: ReturnType<typeof zoomAt>): void => {
    chart.setView(view);
    events.onMove();
  };
  const walk = (step: (layout: FlameLayout, frame: number) => number): void => {
    const { layout } = chart.scene;
    if (layout.count === 0) return;
    const next = chart.selected < 0 ? 0 : step(layout, chart.selected);
    if (next >= 0) events.onSelect(next);
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    const isOnChart = event.target === chart.canvas;
    // Letters with shift or caps lock are the same keys, but for the n that has two ways.
    const key = event.key.length === 1 && event.key !== 'N' ? event.key.toLowerCase() : event.key;
    const act = (isOnChart ? onChart[key] : undefined) ?? anywhere[key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;

const parentOf = (layout: FlameLayout, frame: number): number => layout.parent[frame] as number;

function widestChildOf(layout: FlameLayout, frame: number): number {
  const [from, to] = childrenOf(layout, frame);
  let widest = -1;
  let width = -1;
  for (let child = from; child < to; child += 1) {
    const own = (layout.end[child] as number) - (layout.start[child] as number);
    if (own > width) [widest, width] = [child, own];
  }
  return widest;
}

/** The next in the row, whoever its parent is. */
function siblingOf(layout: FlameLayout, frame: number, step: 1 | -1): number {
  const next = frame + step;
  return next >= 0 && next < layout.count && layout.depth[next] === layout.depth[frame] ? next : -1;
}
