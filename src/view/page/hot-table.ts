/** The table that says in words and numbers what the chart shows: the hottest labels of what is in sight. */
import { describeChange } from '../flame/change.ts';
import { largestBy, type HotLabel } from '../flame/hot-labels.ts';
import type { FlameLabel, FlameModel } from '../flame/model.ts';
import { formatQuantity, formatShare } from '../flame/quantity.ts';
import { clip, describeSignificance, placeOf } from './describe-frame.ts';
import { button, make } from './elements.ts';

const MOST_ROWS = 60;

export type HotOrder = 'self' | 'total' | 'change';

export interface HotTableOptions {
  readonly model: FlameModel;
  readonly whole: number;
  readonly wholeBefore: number;
  /** Somebody wants to see the frames of a label. */
  readonly onPick: (label: number) => void;
}

export class HotTable {
  readonly element: HTMLElement;
  readonly #options: HotTableOptions;
  readonly #caption = make('caption');
  readonly #body = make('tbody');
  readonly #sorters = new Map<HotOrder, HTMLTableCellElement>();
  #rows: readonly HotLabel[] = [];
  #scope = '';
  #order: HotOrder;

  constructor(options: HotTableOptions) {
    this.#options = options;
    const { sides } = options.model;
    this.#order = sides === null ? 'self' : 'change';
    const plain = (text: string): HTMLTableCellElement => make('th', { scope: 'col' }, text);
    const head =
      sides === null
        ? [plain('Name'), plain('Place'), this.#sorter('self', 'Itself'), this.#sorter('total', 'With what it calls')]
        : [
            plain('Name'),
            plain('Place'),
            plain(`Itself, ${sides[0]}`),
            this.#sorter('self', `Itself, ${sides[1]}`),
            this.#sorter('change', 'Change of its share'),
            plain('Beyond noise?'),
          ];
    const table = make(
      'table',
      { class: 'flame-table' },
      this.#caption,
      make('thead', {}, make('tr', {}, ...head)),
      this.#body,
    );
    this.element = make('section', { class: 'flame-hot', 'aria-label': 'Hot spots as a table' }, table);
  }

  /** `scope`: of what, in words. */
  show(rows: readonly HotLabel[], scope: string): void {
    this.#rows = rows;
    this.#scope = scope;
    this.#render();
  }

  #sorter(order: HotOrder, text: string): HTMLTableCellElement {
    const cell = make(
      'th',
      { scope: 'col', class: 'number' },
      button(text, { class: 'flame-sort' }, () => {
        this.#order = order;
        this.#render();
      }),
    );
    this.#sorters.set(order, cell);
    return cell;
  }

  #render(): void {
    const { whole, wholeBefore, model } = this.#options;
    for (const [order, cell] of this.#sorters)
      cell.setAttribute('aria-sort', order === this.#order ? 'descending' : 'none');
    const keyOf = (row: HotLabel): number => {
      if (this.#order === 'self') return row.self;
      if (this.#order === 'total') return row.total;
      const points = Math.abs(row.self / (whole || 1) - row.selfBefore / (wholeBefore || 1));
      // What is known to have changed comes before what may be chance, however large: shares are never above 1.
      return points + (model.labels[row.label]?.change?.isSignificant === true ? 1 : 0);
    };
    const shown = largestBy(this.#rows, MOST_ROWS, keyOf);
    const left = this.#rows.length - shown.length;
    this.#caption.textContent = `${this.#scope}${left > 0 ? `; ${left} more are not listed` : ''}`;
    const cells = model.sides === null ? this.#plainCells : this.#changeCells;
    this.#body.replaceChildren(
      ...shown.map((row) => {
        const label = model.labels[row.label] as FlameLabel;
        const name = button(clip(label.name), { class: 'flame-pick' }, () => this.#options.onPick(row.label));
        return make(
          'tr',
          {},
          make('th', { scope: 'row' }, name),
          make('td', {}, make('code', {}, placeOf(label))),
          ...cells(row, label),
        );
      }),
    );
  }

  readonly #plainCells = (row: HotLabel): HTMLElement[] => {
    const amount = (value: number): HTMLElement =>
      make(
        'td',
        { class: 'number' },
        `${formatQuantity(value, this.#options.model.unit)} · ${formatShare(value / (this.#options.whole || 1))}`,
      );
    return [amount(row.self), amount(row.total)];
  };

  readonly #changeCells = (row: HotLabel, label: FlameLabel): HTMLElement[] => {
    const before = row.selfBefore / (this.#options.wholeBefore || 1);
    const after = row.self / (this.#options.whole || 1);
    return [
      make('td', { class: 'number' }, formatShare(before)),
      make('td', { class: 'number' }, formatShare(after)),
      make('td', { class: 'number' }, describeChange(before, after)),
      make('td', {}, label.change === null ? '' : describeSignificance(label.change)),
    ];
  };
}
