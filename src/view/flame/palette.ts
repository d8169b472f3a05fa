/**
 * Colours. The hues are those of Masataka Okabe and Kei Ito, "Color Universal Design" (2008,
 * https://jfly.uni-koeln.de/color/), which stay apart for every common kind of colour blindness; where there are more
 * classes than hues, a lighter or darker one of the same hue is used, and every frame says its class in words as well.
 * The diverging scale runs between that set's blue and vermilion, through grey.
 *
 * A swatch has two shades that differ a little: neighbours in a row alternate.
 */

export interface Swatch {
  readonly light: string;
  readonly dark: string;
}

const PLAIN: readonly Swatch[] = [
  { light: '#e69f00', dark: '#c98a00' }, // orange
  { light: '#56b4e9', dark: '#4396c6' }, // sky blue
  { light: '#3fb895', dark: '#1f8f70' }, // bluish green, lighter for black text
  { light: '#e8703a', dark: '#c9561c' }, // vermilion
  { light: '#c9ced6', dark: '#4a525c' }, // grey, light: idle
  { light: '#a3abb5', dark: '#646e7a' }, // grey
  { light: '#d48bb3', dark: '#b06a92' }, // reddish purple
  { light: '#f0e442', dark: '#b5ab1f' }, // yellow
  { light: '#5c9fd6', dark: '#2a78b5' }, // blue, lighter for black text
  { light: '#e6bdd3', dark: '#8f5577' }, // reddish purple, the other lightness
  { light: '#f4cf80', dark: '#8f6a1c' }, // orange, the other lightness
  { light: '#9fdcc8', dark: '#1d6b55' }, // bluish green, the other lightness
];

/** Swatches that a group may name, from 0. */
export const SWATCH_COUNT = PLAIN.length;

/** From −4 to 4. */
const DIVERGING: readonly Swatch[] = [
  { light: '#3f8fcb', dark: '#2f8bd0' },
  { light: '#74b0dd', dark: '#2a73ab' },
  { light: '#a5cdea', dark: '#2c5d85' },
  { light: '#cfe3f2', dark: '#304b61' },
  { light: '#dcdfe3', dark: '#454b53' },
  { light: '#f8dcc9', dark: '#664a38' },
  { light: '#f3bb97', dark: '#8a5232' },
  { light: '#ec9560', dark: '#b0592a' },
  { light: '#e0702f', dark: '#d9652a' },
];

/** Swatch of a step of change, −4 to 4. */
export const changeSwatch = (step: number): number => SWATCH_COUNT + 4 + step;

export const SWATCHES: readonly Swatch[] = [...PLAIN, ...DIVERGING];

export interface Theme {
  readonly isDark: boolean;
  readonly page: string;
  /** Of frames' text: black or white, whichever stands out more on the swatch. */
  readonly textOn: readonly string[];
  /** CSS colours of the swatches. */
  readonly fill: readonly string[];
  /** Pixels (RGBA in memory, as ImageData has them), four a swatch: two shades, then the same two dimmed. */
  readonly pixels: Uint32Array;
}

/** How much of the colour is left where a search has found something else. */
const DIMMED = 0.22;
const SHADE = 0.93;

export function makeTheme(isDark: boolean, page: string): Theme {
  const fill = SWATCHES.map(({ light, dark }) => (isDark ? dark : light));
  const pixels = new Uint32Array(fill.length * 4);
  const paper = parseColour(page);
  for (const [index, colour] of fill.entries()) {
    const one = parseColour(colour);
    const other = one.map((channel) => channel * SHADE);
    for (const [shade, channels] of [one, other].entries()) {
      pixels[index * 4 + shade] = toPixel(channels);
      pixels[index * 4 + 2 + shade] = toPixel(channels.map((c, at) => c * DIMMED + (paper[at] ?? 0) * (1 - DIMMED)));
    }
  }
  return { isDark, page, fill, pixels, textOn: fill.map(textColourOn) };
}

const parseColour = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

/** Little endian, as every machine is that runs a browser today. */
const toPixel = (channels: readonly number[]): number => {
  const [red = 0, green = 0, blue = 0] = channels.map(Math.round);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
};

const textColourOn = (fill: string): string =>
  contrast(fill, '#000000') >= contrast(fill, '#ffffff') ? '#000000' : '#ffffff';

/** Ratio of luminances after WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), 1 to 21. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = parseColour(hex).map((channel) => {
    const part = channel / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
