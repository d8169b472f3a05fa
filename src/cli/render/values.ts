/** Times, sizes and shares as people read them. What is not measurable is a dash. */
const NONE = '–';

const two = (value: number): string => String(value).padStart(2, '0');

/** Local time with its offset: `2026-11-25 14:03:09+01:00`. */
export const formatTime = (iso: string | null, withMilliseconds = false): string => {
  if (iso === null) return NONE;
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const part = withMilliseconds ? `.${String(at.getMilliseconds()).padStart(3, '0')}` : '';
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day} ${time}${part}${zone}`;
};

/** How long ago, in the two largest units: `3d 4h`, `12s`. */
export const formatAge = (iso: string | null, nowMs: number): string => {
  if (iso === null) return NONE;
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(iso)) / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return '0s';
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount}${unit}`).join(' ');
};

export const formatBytes = (bytes: number | null): string => {
  if (bytes === null) return NONE;
  for (const [unit, size] of [
    ['GB', 1024 ** 3],
    ['MB', 1024 ** 2],
    ['KB', 1024],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(bytes / size < 10 ? 1 : 0)} ${unit}`;
  return `${bytes} B`;
};

export const formatNumber = (value: number | null, digits = 0): string =>
  value === null ? NONE : value.toFixed(digits);

export const formatMs = (value: number | null): string => {
  if (value === null) return NONE;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
};
