/** Sizes, counts and shares as people read them; the same in every form of a report. Sizes are decimal, as in DevTools: 1 kB is 1,000 bytes. */

export const formatBytes = (bytes: number): string => {
  const size = Math.abs(bytes);
  for (const [unit, scale] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const)
    if (size >= scale) return `${(bytes / scale).toFixed(size / scale < 100 ? 1 : 0)} ${unit}`;
  return `${Math.round(bytes)} B`;
};

/** `+3.1 MB`, `−12 KB`, `0 B`. */
export const formatBytesChange = (bytes: number): string => withSign(bytes, formatBytes(Math.abs(bytes)));

/** `1,234`. */
export const formatCount = (count: number): string => Math.round(count).toLocaleString('en');

/** Of a number per snapshot: the last one less the first. */
export const changeOf = (values: readonly number[]): number => (values.at(-1) ?? 0) - (values[0] ?? 0);

/** `98 %`; what is there is never 0 %, and what is not everything never 100 %. */
export const formatShare = (share: number): string => {
  const percent = share * 100;
  if (percent > 0 && percent < 1) return '<1 %';
  if (percent < 100 && percent > 99) return '>99 %';
  return `${Math.round(percent)} %`;
};

const withSign = (value: number, text: string): string => `${value > 0 ? '+' : value < 0 ? '−' : ''}${text}`;
