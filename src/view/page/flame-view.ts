/**
 * A flame graph in an element: views, search, zoom, tooltip, legend and table around the canvas. The standalone page is
 * one of these, and so is every place of the dashboard that shows one.
 */
import { type HotLabel, stepSumByLabel, sumWhole } from '../flame/hot-labels.ts';
import type { FlameModel } from '../flame/model.ts';
import { makeTheme, type Theme } from '../flame/palette.ts';
import { formatQuantity, formatShare } from '../flame/quantity.ts';
import { showRange, wholeView } from '../flame/viewport.ts';
import { Chart, type FrameBox, ROW_HEIGHT } from './chart.ts';
import { Choices } from './choices.ts';
import { describeFrame, type FrameWords } from './describe-frame.ts';
import { button, make } from './elements.ts';
import { renderHelp } from './help.ts';
import { HotTable } from './hot-table.ts';
import { runWhenIdle } from './idle.ts';
import { attachKeys } from './keys.ts';
import { renderLegend } from './legend.ts';
import { attachPointer } from './pointer.ts';
import { Scenes, type Side, type ViewName, VIEW_TITLES, withSearch } from './scenes.ts';
import { SearchField } from './search-field.ts';
import { Tooltip } from './tooltip.ts';

/** Milliseconds after the last move, until the table follows: it takes longer than a frame may. */
const TABLE_REST_MS = 250;

/** One frame as scripts see it. */
export interface ShownFrame extends FrameBox {
  readonly name: string;
  readonly depth: number;
  /** In the unit of the model. */
  readonly total: number;
  readonly self: number;
}

export class FlameView {
  readonly #model: FlameModel;
  readonly #root: HTMLElement;
  readonly #scenes: Scenes;
  readonly #chart: Chart;
  readonly #table: HotTable;
  readonly #tooltip = new Tooltip();
  readonly #status = make('p', { class: 'flame-status' });
  readonly #live = make('p', { class: 'flame-live', 'aria-live': 'polite' });
  readonly #cut = make('p', { class: 'flame-note', hidden: '' });
  readonly #legend = make('ul', { class: 'flame-legend', 'aria-label': 'Colours' });
  readonly #views: Choices<ViewName>;
  /** Whose widths; null where there is one side. */
  readonly #sides: Choices<Side> | null;
  readonly #search = new SearchField({
    onChange: () => this.#runSearch(),
    onStep: (step) => this.#stepMatch(step),
    onLeave: () => this.#chart.canvas.focus(),
  });
  #view: ViewName = 'left-heavy';
  #side: Side = 'after';
  #hovered = -1;
  #tableTimer = 0;
  #endSums = (): void => {};

  constructor(root: HTMLElement, model: FlameModel) {
    this.#model = model;
    this.#root = root;
    this.#scenes = new Scenes(model);
    const views = this.#scenes.names.map((name) => [name, VIEW_TITLES[name]] as const);
    this.#views = new Choices('View', '', views, (name) => this.showView(name));
    this.#sides =
      model.sides === null
        ? null
        : new Choices<Side>(
            'Widths',
            'widths: ',
            [
              ['before', model.sides[0]],
              ['after', model.sides[1]],
            ],
            (side) => this.showView(this.#view, side),
          );
    const canvas = make('canvas', {
      class: 'flame-canvas',
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'flame graph',
      'aria-label': `${model.title}. Arrow keys walk from frame to frame, Enter zooms, slash searches; a table follows.`,
    });
    const overlay = make('canvas', { class: 'flame-overlay', 'aria-hidden': 'true' });
    const stage = make('div', { class: 'flame-stage' }, canvas, overlay);
    const scene = withSearch(this.#scenes.get(this.#view, this.#side), null);
    this.#chart = new Chart(canvas, overlay, scene, this.#readTheme());
    this.#table = new HotTable({
      model,
      whole: this.#scenes.wholeOf('after'),
      wholeBefore: this.#scenes.wholeOf('before'),
      onPick: (label) => this.#pick(label),
    });
    root.classList.add('flame');
    root.append(this.#makeBar(), stage, this.#status, this.#live, this.#legend, this.#cut);
    for (const note of model.notes) root.append(make('p', { class: 'flame-note' }, note));
    root.append(renderHelp(), this.#table.element, this.#tooltip.element);
    this.#attach(stage);
    this.#chart.setScene(scene, true);
    this.refreshTheme();
    this.#renderButtons();
    this.#renderStatus();
    this.#fillTable();
  }

  get view(): ViewName {
    return this.#view;
  }

  get canvas(): HTMLCanvasElement {
    return this.#chart.canvas;
  }

  /** Frames of this name in the view as it is, in the order of rows; also those out of sight. */
  frames(name: string): ShownFrame[] {
    const { layout } = this.#chart.scene;
    const found: ShownFrame[] = [];
    for (let frame = 0; frame < layout.count; frame += 1) {
      if (this.#model.labels[layout.labelOf[frame] as number]?.name !== name) continue;
      const depth = layout.depth[frame] as number;
      const total = layout.total[frame] as number;
      found.push({ ...this.#chart.boxOf(frame), name, depth, total, self: layout.self[frame] as number });
    }
    return found;
  }

  showView(view: ViewName, side: Side = this.#side): void {
    this.#view = view;
    this.#side = side;
    const scene = this.#scenes.get(view, side);
    this.#chart.setScene(withSearch(scene, null), true);
    this.#cut.hidden = scene.cutCount === 0;
    this.#cut.textContent = `${scene.cutCount.toLocaleString('en')} branches too thin to be seen were not followed to their end.`;
    this.#runSearch();
    this.#renderButtons();
    this.#hover(-1, 0, 0);
    this.#renderStatus();
    this.#fillTable();
  }

  /** Text or `/expression/`; the empty one ends the search. */
  search(query: string): void {
    this.#search.input.value = query;
    this.#runSearch();
  }

  /** To be called when the page's colours have changed. */
  refreshTheme(): void {
    const theme = this.#readTheme();
    this.#chart.setTheme(theme);
    this.#legend.replaceChildren(...renderLegend(this.#model, theme));
  }

  #readTheme(): Theme {
    const style = getComputedStyle(document.documentElement);
    const page = style.getPropertyValue('--page').trim();
    return makeTheme(style.colorScheme.startsWith('dark'), /^#[0-9a-f]{6}$/i.test(page) ? page : '#ffffff');
  }

  #makeBar(): HTMLElement {
    const reset = button('Reset zoom', {}, () => this.#reset());
    const sides = this.#sides === null ? [] : [this.#sides.element];
    return make(
      'div',
      { class: 'flame-bar' },
      this.#views.element,
      ...sides,
      this.#search.input,
      this.#search.output,
      reset,
    );
  }

  #attach(stage: HTMLElement): void {
    attachPointer(this.#chart, {
      onHover: (frame, x, y) => this.#hover(frame, x, y),
      onLeave: () => this.#hover(-1, 0, 0),
      onSelect: (frame) => this.#select(frame),
      onZoom: (frame) => this.#zoomTo(frame),
      onMove: () => this.#moved(),
    });
    attachKeys(this.#chart, {
      onSelect: (frame) => {
        this.#select(frame);
        this.#reveal(frame);
      },
      onZoom: (frame) => this.#zoomTo(frame),
      onEscape: () => this.#escape(),
      onReset: () => this.#reset(),
      onSearch: () => this.#search.focus(),
      onNextMatch: (step) => this.#stepMatch(step),
      onView: (number) => {
        const name = this.#scenes.names[number];
        if (name !== undefined) this.showView(name);
      },
      onMove: () => this.#moved(),
    });
    new ResizeObserver(() => {
      this.#chart.resize(stage.clientWidth, stage.clientHeight, devicePixelRatio);
    }).observe(stage);
    this.#chart.resize(stage.clientWidth, stage.clientHeight, devicePixelRatio);
  }

  #words(frame: number): FrameWords {
    const { layout } = this.#chart.scene;
    return describeFrame(frame, {
      model: this.#model,
      scenes: this.#scenes,
      layout,
      isCallers: this.#view === 'callers',
    });
  }

  #hover(frame: number, x: number, y: number): void {
    this.#chart.hover(frame);
    if (frame < 0) this.#tooltip.hide();
    else if (frame === this.#hovered) this.#tooltip.move(x, y);
    else this.#tooltip.show(this.#words(frame), x, y);
    this.#hovered = frame;
  }

  #select(frame: number): void {
    this.#chart.select(frame);
    this.#renderStatus();
    this.#live.textContent = frame < 0 ? '' : this.#status.textContent;
  }

  #renderStatus(): void {
    const frame = this.#chart.selected;
    if (frame < 0) {
      const whole = formatQuantity(this.#scenes.wholeOf(this.#side), this.#model.unit);
      this.#status.textContent = `${whole} in all. Choose a frame to see where it stands and what it weighs.`;
      return;
    }
    const { name, place, lines } = this.#words(frame);
    this.#status.textContent = [name, place, ...lines].filter((part) => part !== '').join(' · ');
  }

  /** Brings a frame into sight without zooming further than it needs. */
  #reveal(frame: number): void {
    const { layout } = this.#chart.scene;
    const { start, span } = this.#chart.view;
    const [left, right] = [layout.start[frame] as number, layout.end[frame] as number];
    const isInSight = right > start && left < start + span;
    const middle = (left + right) / 2 - span / 2;
    const from = isInSight ? start : middle;
    this.#chart.setView(showRange(this.#chart.view, this.#chart.bounds, from, from + span, this.#topOf(frame)));
    this.#moved();
  }

  #zoomTo(frame: number): void {
    const { layout } = this.#chart.scene;
    const [left, right] = [layout.start[frame] as number, layout.end[frame] as number];
    this.#select(frame);
    this.#chart.setView(showRange(this.#chart.view, this.#chart.bounds, left, right, this.#topOf(frame)));
    this.#moved();
  }

  #topOf(frame: number): number {
    return (this.#chart.scene.layout.depth[frame] as number) * ROW_HEIGHT;
  }

  #reset(): void {
    this.#chart.setView(wholeView(this.#chart.bounds));
    this.#moved();
  }

  #escape(): void {
    const { span } = this.#chart.view;
    if (this.#search.input.value !== '') this.search('');
    else if (span < this.#chart.bounds.extent) this.#reset();
    else this.#select(-1);
  }

  /** From the table: search for the label and go to its widest frame. */
  #pick(label: number): void {
    const { layout } = this.#chart.scene;
    let widest = -1;
    let width = 0;
    for (let frame = 0; frame < layout.count; frame += 1) {
      const own = (layout.end[frame] as number) - (layout.start[frame] as number);
      if (layout.labelOf[frame] === label && own > width) [widest, width] = [frame, own];
    }
    const name = this.#model.labels[label]?.name ?? '';
    this.search(name);
    if (widest < 0) return;
    this.#select(widest);
    this.#reveal(widest);
    this.#chart.canvas.focus();
  }

  #runSearch(): void {
    const scene = this.#scenes.get(this.#view, this.#side);
    this.#chart.setScene(withSearch(scene, this.#search.find(scene.layout, this.#model.labels)), false);
  }

  #stepMatch(step: 1 | -1): void {
    const frame = this.#search.step(step);
    if (frame < 0) return;
    this.#select(frame);
    this.#reveal(frame);
  }

  #renderButtons(): void {
    this.#views.show(this.#view);
    this.#sides?.show(this.#side);
    this.#root.dataset['view'] = this.#view;
  }

  #moved(): void {
    clearTimeout(this.#tableTimer);
    this.#endSums();
    this.#tableTimer = setTimeout(() => this.#fillTable(), TABLE_REST_MS) as unknown as number;
  }

  #fillTable(): void {
    const { layout } = this.#chart.scene;
    const { start, span } = this.#chart.view;
    const { labels } = this.#model;
    this.#endSums();
    if (span === layout.extent) this.#showTable(sumWhole(labels), 1);
    else
      this.#endSums = runWhenIdle(stepSumByLabel(layout, start, start + span, labels.length), (sums) =>
        this.#showTable(sums, span / layout.extent),
      );
  }

  #showTable(sums: readonly HotLabel[], share: number): void {
    const { labels, unit, tree } = this.#model;
    const rows = sums.filter(({ label }) => label !== tree.labelOf[0]);
    // Callers pass weight on; how much goes through a label is known for the whole only.
    const shown =
      this.#view === 'callers'
        ? rows
            .filter(({ self, selfBefore }) => self > 0 || selfBefore > 0)
            .map((row) => ({ ...row, total: labels[row.label]?.total ?? 0 }))
        : rows;
    const whole = formatQuantity(this.#chart.scene.layout.extent, unit);
    this.#table.show(shown, `In sight: ${formatShare(share)} of ${whole}`);
  }
}
