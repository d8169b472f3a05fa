/** The box beside the pointer. It is for eyes only: what it says is also in the line beneath the chart. */
import { make } from './elements.ts';
import type { FrameWords } from './describe-frame.ts';

const GAP = 14;

export class Tooltip {
  readonly element = make('div', { class: 'flame-tip', hidden: '', 'aria-hidden': 'true' });

  /** `x` and `y`: the pointer, CSS pixels of the window. */
  show({ name, place, lines }: FrameWords, x: number, y: number): void {
    const rows = [make('strong', {}, name)];
    const parts: Node[] = rows;
    if (place !== '') parts.push(make('code', {}, place));
    for (const line of lines) parts.push(make('span', {}, line));
    this.element.replaceChildren(...parts);
    this.element.hidden = false;
    this.move(x, y);
  }

  move(x: number, y: number): void {
    const { offsetWidth, offsetHeight } = this.element;
    const left = x + GAP + offsetWidth > innerWidth ? x - GAP - offsetWidth : x + GAP;
    const top = y + GAP + offsetHeight > innerHeight ? y - GAP - offsetHeight : y + GAP;
    this.element.style.left = `${Math.max(0, left)}px`;
    this.element.style.top = `${Math.max(0, top)}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
