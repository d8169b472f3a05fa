/** Which part of a layout is on the screen: a range of weights across, pixels down. Pure; every move returns a new one, within bounds. */

export interface Viewport {
  /** Left edge and width, in the unit of the layout. */
  readonly start: number;
  readonly span: number;
  /** CSS pixels by which rows are scrolled up. */
  readonly scrollTop: number;
}

export interface Bounds {
  /** Of the layout, in its unit. */
  readonly extent: number;
  /** Of all rows, and of the canvas: CSS pixels. */
  readonly contentHeight: number;
  readonly width: number;
  readonly height: number;
}

/** Nothing is gained by zooming further: the numbers run out of digits before. */
const DEEPEST_ZOOM = 1e-10;

export const wholeView = (bounds: Bounds): Viewport => ({ start: 0, span: bounds.extent, scrollTop: 0 });

export function clampView(view: Viewport, bounds: Bounds): Viewport {
  const { extent } = bounds;
  const span = Math.min(Math.max(view.span, extent * DEEPEST_ZOOM), extent);
  const start = Math.min(Math.max(view.start, 0), extent - span);
  const scrollTop = Math.min(Math.max(view.scrollTop, 0), Math.max(0, bounds.contentHeight - bounds.height));
  return { start, span, scrollTop };
}

/** `factor` below 1 comes nearer; what is at `x` (CSS pixels) stays there. */
export function zoomAt(view: Viewport, bounds: Bounds, x: number, factor: number): Viewport {
  const fraction = bounds.width === 0 ? 0 : x / bounds.width;
  const span = Math.min(Math.max(view.span * factor, bounds.extent * DEEPEST_ZOOM), bounds.extent);
  return clampView({ ...view, start: view.start + (view.span - span) * fraction, span }, bounds);
}

/** Moves what is seen by CSS pixels: positive to the right and down. */
export function panBy(view: Viewport, bounds: Bounds, x: number, y: number): Viewport {
  const start = view.start + (bounds.width === 0 ? 0 : (x / bounds.width) * view.span);
  return clampView({ ...view, start, scrollTop: view.scrollTop + y }, bounds);
}

/** Fills the width with a range, and brings the row at `top` (CSS pixels from the first row) into sight. */
export function showRange(view: Viewport, bounds: Bounds, start: number, end: number, top: number): Viewport {
  const isInSight = top >= view.scrollTop && top < view.scrollTop + bounds.height * 0.8;
  const scrollTop = isInSight ? view.scrollTop : top - bounds.height * 0.2;
  return clampView({ start, span: end - start, scrollTop }, bounds);
}
