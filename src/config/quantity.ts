/** Durations (`'30s'`) and sizes (`'512MB'`), which may also be plain numbers of milliseconds and bytes. */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const SIZE = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/i;
const BYTES = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

/** Timers of Node hold no longer wait than this; a longer one would fire at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Milliseconds of `'500ms'`, `'30s'`, `'1.5h'`; undefined when the text is not a duration. */
export const findDurationMs = (text: string): number | undefined => {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? undefined : Math.round(Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS]);
};

/** Bytes of `'512MB'` (binary: 1 KB is 1024 bytes); undefined when the text is not a size. */
export const findSizeBytes = (text: string): number | undefined => {
  const [, amount, unit] = SIZE.exec(text) ?? [];
  return unit === undefined ? undefined : Math.round(Number(amount) * BYTES[unit.toUpperCase() as keyof typeof BYTES]);
};

/** In the largest unit that is exact: `120000` is `2m`, `90000` is `90s`, `1500` is `1500ms`. */
export const formatDuration = (milliseconds: number): string => {
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (milliseconds > 0 && milliseconds % MILLISECONDS[unit] === 0)
      return `${milliseconds / MILLISECONDS[unit]}${unit}`;
  return `${milliseconds}ms`;
};
