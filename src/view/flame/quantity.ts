/** Weights in words, the same in tooltips, tables and what is read aloud. */
import type { FlameUnit } from './model.ts';

/** Three digits that matter and a unit: `1.24 s`, `318 ms`, `12.0 MB`, `4,210 samples`. */
export function formatQuantity(value: number, unit: FlameUnit): string {
  if (unit === 'microseconds') return scale(value, 1000, ['µs', 'ms'], 1000, 's');
  if (unit === 'bytes') return scale(value, 1000, ['bytes', 'kB', 'MB', 'GB'], 1000, 'TB');
  const rounded = Math.round(value * 10) / 10;
  return `${rounded.toLocaleString('en')} ${rounded === 1 ? 'sample' : 'samples'}`;
}

function scale(value: number, step: number, units: readonly string[], last: number, lastUnit: string): string {
  let left = value;
  for (const unit of units) {
    if (Math.abs(left) < step) return `${threeDigits(left)} ${unit}`;
    left /= last;
  }
  return `${threeDigits(left)} ${lastUnit}`;
}

const threeDigits = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
};

/** `12.3 %`; what is there is never shown as 0. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.01) return '<0.01 %';
  return `${percent.toFixed(percent < 10 ? 2 : 1)} %`;
}
