/**
 * Names cut to the width of their frames. The font is one of equal widths, so that plain names need no measuring; others
 * are measured once and remembered.
 */

const ELLIPSIS = '…';
/** A frame that shows less of a name than this shows none. */
const FEWEST_LETTERS = 2;
const PLAIN = /^[\u0020-\u007e]*$/;
/** Beyond, the canvas has nothing to show, and a hostile name could be a megabyte. */
const MOST_LETTERS = 500;

export class TextFitter {
  readonly #measure: (text: string) => number;
  readonly #letter: number;
  /** By text: 0 for plain ones. */
  readonly #widths = new Map<string, number>();

  /** `measure`: width of a text in the font that is drawn with. */
  constructor(measure: (text: string) => number) {
    this.#measure = measure;
    this.#letter = measure('M');
  }

  /** As much of `text` as `room` holds (in the unit of `measure`); empty where that is next to nothing. */
  fit(text: string, room: number): string {
    const letters = Math.floor(room / this.#letter);
    if (letters < FEWEST_LETTERS) return '';
    const short = text.length > MOST_LETTERS ? text.slice(0, MOST_LETTERS) : text;
    const width = this.#widthOf(short);
    if (width === 0) {
      if (short.length <= letters) return short;
      return letters <= FEWEST_LETTERS ? '' : short.slice(0, letters - 1) + ELLIPSIS;
    }
    if (width <= room) return short;
    // Letters of other scripts are about as wide as each other; what is left over is cut by the clip of the canvas.
    const part = Math.floor((short.length * room) / width) - 1;
    return part < 1 ? '' : short.slice(0, part) + ELLIPSIS;
  }

  #widthOf(text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      width = PLAIN.test(text) ? 0 : this.#measure(text);
      this.#widths.set(text, width);
    }
    return width;
  }
}
