/** The field for searches, what it has found, and the walk through that. */
import type { FlameLayout } from '../flame/layout.ts';
import type { FlameLabel } from '../flame/model.ts';
import { formatShare } from '../flame/quantity.ts';
import { compileSearch, findMatches, type Matches } from '../flame/search.ts';
import { make } from './elements.ts';

export interface SearchEvents {
  /** Something else is searched for: `find` again. */
  readonly onChange: () => void;
  readonly onStep: (step: 1 | -1) => void;
  /** Done with the field. */
  readonly onLeave: () => void;
}

export class SearchField {
  readonly input = make('input', {
    type: 'search',
    'aria-label': 'Search names and files: text, or /expression/',
    placeholder: 'Search: text or /expression/',
    spellcheck: 'false',
  });
  /** The share that was found, or what is wrong with the expression. */
  readonly output = make('output', { class: 'flame-found' });
  #matches: Matches | null = null;
  #at = -1;

  constructor({ onChange, onStep, onLeave }: SearchEvents) {
    this.input.addEventListener('input', onChange);
    this.input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
      else if (event.key === 'Escape') {
        this.input.value = '';
        onChange();
        onLeave();
      } else return;
      event.preventDefault();
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** By label, 1 where it is found; null where nothing is searched for. */
  find(layout: FlameLayout, labels: readonly FlameLabel[]): Uint8Array | null {
    const test = compileSearch(this.input.value);
    const error = test !== null && typeof test === 'object' ? test.error : '';
    this.#at = -1;
    this.#matches = typeof test === 'function' ? findMatches(layout, labels, test) : null;
    this.input.setAttribute('aria-invalid', String(error !== ''));
    this.output.textContent = this.#matches === null ? error : describeMatches(this.#matches);
    return this.#matches?.label ?? null;
  }

  /** The next frame that was found, around the end to the first; −1 where there is none. */
  step(by: 1 | -1): number {
    const frames = this.#matches?.frames;
    if (frames === undefined || frames.length === 0) return -1;
    const next = this.#at < 0 && by < 0 ? frames.length - 1 : this.#at + by;
    this.#at = (next + frames.length) % frames.length;
    return frames[this.#at] as number;
  }
}

const describeMatches = ({ share, frames, labelCount }: Matches): string =>
  `${formatShare(share)} in ${count(frames.length, 'frame')} of ${count(labelCount, 'name')}`;

const count = (number: number, what: string): string =>
  `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
