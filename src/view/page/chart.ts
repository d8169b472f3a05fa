/**
 * The canvas: draws a layout as far as it is in sight, once per frame of the screen and only when something has changed.
 * Two canvases lie on each other: the picture, and above it what follows the pointer, so that hovering paints nothing
 * anew. Knows nothing of keys, pointers and words.
 */
import { findFrame } from '../flame/find-frame.ts';
import { TextFitter } from '../flame/fit-text.ts';
import type { FlameLayout } from '../flame/layout.ts';
import { makeWideFrames, paintLine } from '../flame/paint-rows.ts';
import type { Theme } from '../flame/palette.ts';
import { clampView, type Bounds, type Viewport, wholeView } from '../flame/viewport.ts';

/** What a layout is drawn with; changes with the view, the search and the theme. */
export interface Scene {
  readonly layout: FlameLayout;
  readonly swatchOf: Uint8Array;
  /** Frames with this swatch or one above are hatched, so that colour is not their only mark. */
  readonly hatchedFrom: number;
  readonly textOf: (frame: number) => string;
  readonly isFound: Uint8Array | null;
}

export const ROW_HEIGHT = 18;
const FONT_SIZE = 11;
const FONT = `${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace`;
const TEXT_INSET = 4;
/** CSS pixels from which on a frame has its name in it. */
const TEXT_FROM = 26;
const HATCH_FROM = 8;

/** A frame on the screen, CSS pixels from the corner of the canvas. */
export interface FrameBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export class Chart {
  readonly canvas: HTMLCanvasElement;
  readonly #overlay: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #overlayContext: CanvasRenderingContext2D;
  /** One pixel high per row; stretched onto the canvas. */
  readonly #lines = document.createElement('canvas');
  readonly #linesContext: CanvasRenderingContext2D;
  readonly #wide = makeWideFrames();
  readonly #wideInRow: number[] = [];
  #fitter: TextFitter;
  #image: ImageData | null = null;
  #hatch: CanvasPattern | null = null;
  #scene: Scene;
  #theme: Theme;
  #view: Viewport = { start: 0, span: 1, scrollTop: 0 };
  #width = 0;
  #height = 0;
  #ratio = 1;
  #isStale = false;
  #isOverlayStale = false;
  #isOverlayEmpty = true;
  #request = 0;
  #hovered = -1;
  #selected = -1;

  constructor(canvas: HTMLCanvasElement, overlay: HTMLCanvasElement, scene: Scene, theme: Theme) {
    this.canvas = canvas;
    this.#overlay = overlay;
    this.#context = contextOf(canvas);
    this.#overlayContext = contextOf(overlay);
    this.#linesContext = contextOf(this.#lines);
    this.#scene = scene;
    this.#theme = theme;
    this.#fitter = this.#makeFitter();
  }

  get scene(): Scene {
    return this.#scene;
  }

  get view(): Viewport {
    return this.#view;
  }

  get bounds(): Bounds {
    const { extent, rowCount } = this.#scene.layout;
    return { extent, contentHeight: rowCount * ROW_HEIGHT, width: this.#width, height: this.#height };
  }

  get selected(): number {
    return this.#selected;
  }

  /** `isAnother`: its frames are not those of the one before, so that nothing can stay selected or in place. */
  setScene(scene: Scene, isAnother: boolean): void {
    this.#scene = scene;
    if (isAnother) {
      this.#hovered = -1;
      this.#selected = -1;
      this.#view = wholeView(this.bounds);
    }
    this.#invalidate();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#hatch = null;
    this.#invalidate();
  }

  setView(view: Viewport): void {
    const next = clampView(view, this.bounds);
    const { start, span, scrollTop } = this.#view;
    if (next.start === start && next.span === span && next.scrollTop === scrollTop) return;
    this.#view = next;
    this.#invalidate();
  }

  /** CSS pixels, and device pixels for each. */
  resize(width: number, height: number, ratio: number): void {
    if (width === this.#width && height === this.#height && ratio === this.#ratio) return;
    this.#width = width;
    this.#height = height;
    this.#ratio = ratio;
    for (const canvas of [this.canvas, this.#overlay]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.#image = null;
    this.#hatch = null;
    this.#view = clampView(this.#view, this.bounds);
    this.#invalidate();
  }

  hover(frame: number): void {
    if (frame === this.#hovered) return;
    this.#hovered = frame;
    this.#isOverlayStale = true;
    this.#schedule();
  }

  select(frame: number): void {
    if (frame === this.#selected) return;
    this.#selected = frame;
    this.#isOverlayStale = true;
    this.#schedule();
  }

  /** The frame at CSS pixels from the corner of the canvas; −1 where there is none. */
  frameAt(x: number, y: number): number {
    if (this.#width === 0) return -1;
    const row = Math.floor((y + this.#view.scrollTop) / ROW_HEIGHT);
    return findFrame(this.#scene.layout, row, this.#view.start + (x / this.#width) * this.#view.span);
  }

  boxOf(frame: number): FrameBox {
    const { layout } = this.#scene;
    const scale = this.#width / this.#view.span;
    const left = ((layout.start[frame] as number) - this.#view.start) * scale;
    return {
      left,
      top: (layout.depth[frame] as number) * ROW_HEIGHT - this.#view.scrollTop,
      width: ((layout.end[frame] as number) - (layout.start[frame] as number)) * scale,
      height: ROW_HEIGHT - 1,
    };
  }

  #invalidate(): void {
    this.#isStale = true;
    this.#isOverlayStale = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#request === 0) this.#request = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#request = 0;
    const startedAt = performance.now();
    if (this.#width > 0 && this.#isStale) this.#drawFrames();
    if (this.#isOverlayStale) this.#drawOverlay();
    this.#isStale = false;
    this.#isOverlayStale = false;
    // For those who watch with a PerformanceObserver; the browser's own list of them would only grow.
    performance.measure('flame-draw', { start: startedAt, end: performance.now() });
    performance.clearMeasures('flame-draw');
  }

  #drawFrames(): void {
    const context = this.#context;
    const { layout } = this.#scene;
    const { width, height } = this.canvas;
    const rowHeight = ROW_HEIGHT * this.#ratio;
    const firstRow = Math.floor(this.#view.scrollTop / ROW_HEIGHT);
    const rows = Math.min(layout.rowCount - firstRow, Math.ceil(this.#height / ROW_HEIGHT) + 1);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (rows <= 0) return;
    this.#paintLines(firstRow, rows);
    const top = -(this.#view.scrollTop - firstRow * ROW_HEIGHT) * this.#ratio;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#lines, 0, 0, width, rows, 0, top, width, rows * rowHeight);
    this.#drawWide(rows, top, rowHeight);
    for (let row = 1; row <= rows; row += 1)
      context.clearRect(0, Math.round(top + row * rowHeight - this.#ratio), width, this.#ratio);
  }

  #paintLines(firstRow: number, rows: number): void {
    const { width } = this.canvas;
    if (this.#image === null || this.#image.height < rows) {
      const height = Math.ceil(this.#height / ROW_HEIGHT) + 1;
      this.#lines.width = width;
      this.#lines.height = Math.max(rows, height);
      this.#image = this.#linesContext.createImageData(width, Math.max(rows, height));
    }
    const pixels = new Uint32Array(this.#image.data.buffer);
    const { layout, swatchOf, isFound } = this.#scene;
    const options = { swatchOf, isFound, pixels: this.#theme.pixels, wideFrom: HATCH_FROM * this.#ratio };
    this.#wide.count = 0;
    this.#wideInRow.length = 0;
    for (let row = 0; row < rows; row += 1) {
      const line = pixels.subarray(row * width, (row + 1) * width);
      paintLine(layout, firstRow + row, this.#view.start, this.#view.span, line, this.#wide, options);
      this.#wideInRow.push(this.#wide.count);
    }
    this.#linesContext.putImageData(this.#image, 0, 0, 0, 0, width, rows);
  }

  /** Patterns and names of the frames that have room for them. */
  #drawWide(rows: number, top: number, rowHeight: number): void {
    const context = this.#context;
    const { swatchOf, hatchedFrom, textOf, isFound, layout } = this.#scene;
    const { frame: frames, left: lefts, right: rights } = this.#wide;
    const ratio = this.#ratio;
    const inset = TEXT_INSET * ratio;
    context.font = FONT.replace(/^\d+px/, `${FONT_SIZE * ratio}px`);
    context.textBaseline = 'middle';
    let at = 0;
    let colour = '';
    for (let row = 0; row < rows; row += 1) {
      const y = top + row * rowHeight;
      const middle = Math.round(y + (rowHeight - ratio) / 2 + ratio);
      for (const end = this.#wideInRow[row] as number; at < end; at += 1) {
        const frame = frames[at] as number;
        const swatch = swatchOf[frame] as number;
        const left = Math.max(0, lefts[at] as number);
        const right = Math.min(this.canvas.width, rights[at] as number);
        if (swatch >= hatchedFrom) {
          this.#hatch ??= makeHatch(context, this.#theme.isDark, ratio);
          context.fillStyle = this.#hatch;
          context.fillRect(Math.round(left), y, Math.round(right) - Math.round(left) - ratio, rowHeight);
          colour = '';
        }
        const room = right - left - 2 * inset;
        if (room < (TEXT_FROM - 2 * TEXT_INSET) * ratio) continue;
        const text = this.#fitter.fit(textOf(frame), room / ratio);
        if (text === '') continue;
        const isDimmed = isFound !== null && isFound[layout.labelOf[frame] as number] === 0;
        const wanted = isDimmed ? this.#dimmedText : (this.#theme.textOn[swatch] as string);
        if (wanted !== colour) {
          context.fillStyle = wanted;
          colour = wanted;
        }
        context.fillText(text, left + inset, middle);
      }
    }
  }

  get #dimmedText(): string {
    return this.#theme.isDark ? '#9aa4af' : '#59626d';
  }

  #drawOverlay(): void {
    const isEmpty = this.#hovered < 0 && this.#selected < 0;
    // A canvas that was touched is handed to the screen anew, all of it.
    if (isEmpty && this.#isOverlayEmpty) return;
    this.#isOverlayEmpty = isEmpty;
    const context = this.#overlayContext;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    const ink = this.#theme.isDark ? '#ffffff' : '#000000';
    if (this.#hovered >= 0) outline(context, this.boxOf(this.#hovered), this.#width, ink, 1);
    if (this.#selected >= 0) {
      // Two lines, so that one of them stands out on every colour.
      const box = this.boxOf(this.#selected);
      outline(context, box, this.#width, this.#theme.isDark ? '#000000' : '#ffffff', 4);
      outline(context, box, this.#width, ink, 2);
    }
  }

  #makeFitter(): TextFitter {
    this.#context.font = FONT;
    const cached = contextOf(document.createElement('canvas'));
    cached.font = FONT;
    return new TextFitter((text) => cached.measureText(text).width);
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser has no canvas');
  return context;
}

function outline(context: CanvasRenderingContext2D, box: FrameBox, width: number, colour: string, line: number): void {
  // Frames beyond the edges would be outlined at coordinates that canvases cannot hold.
  const left = Math.max(-4, box.left);
  const right = Math.min(width + 4, box.left + box.width);
  context.strokeStyle = colour;
  context.lineWidth = line;
  context.strokeRect(left + 0.5, box.top + 0.5, Math.max(1, right - left - 1), box.height - 1);
}

/** Thin diagonal lines: more than before. */
function makeHatch(context: CanvasRenderingContext2D, isDark: boolean, ratio: number): CanvasPattern {
  const size = Math.round(6 * ratio);
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const pen = contextOf(tile);
  pen.strokeStyle = isDark ? '#ffffff55' : '#00000040';
  pen.lineWidth = ratio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  if (pattern === null) throw new Error('this browser has no patterns');
  return pattern;
}
