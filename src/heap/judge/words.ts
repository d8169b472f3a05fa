/** Sentences about suspects. */
import { formatBytes } from '../quantity.ts';
import type { HeapSuspect } from './verdict.ts';

const PATTERN_WORDS: Readonly<Record<HeapSuspect['pattern'], string>> = {
  listeners: 'listeners that are never removed',
  closures: 'functions that are kept',
  'shared-context': 'a chain of shared scopes',
  timers: 'timers that are never cleared',
  collection: 'unbounded collection',
  array: 'unbounded array',
  promises: 'promises that never settle',
  'async-context': 'async context kept by longer work',
  buffers: 'buffers kept by slices or never dropped',
  streams: 'streams that are never ended',
  detached: 'parts taken out of their tree and still held',
  unknown: 'one thing that only grows',
};

/** How much work was done between one snapshot and the next: the same in each step, or growth could not be compared. */
export interface Load {
  /** In the plural: `requests`, `jobs`, `messages`. */
  readonly unit: string;
  readonly perStep: number;
}

/** What stands alone in a terminal or an alert: what grows how fast, who holds it, what to do, and how many more there are. */
export function writeHeadline(suspects: readonly HeapSuspect[], load: Load | undefined): string {
  const [first] = suspects;
  if (first === undefined) return '';
  const { className, growth, holder, pattern, remedy } = first;
  const bytes = growth?.bytes.at(-1) ?? 0;
  const objects = growth?.objects.at(-1) ?? 0;
  const speed =
    load !== undefined && load.perStep > 0
      ? `${formatBytes((bytes / load.perStep) * 1000)} per 1,000 ${load.unit}`
      : `${formatBytes(bytes)} a step${objects > 1 ? ` (${objects} objects)` : ''}`;
  const share = Math.round((growth?.share ?? 0) * 100);
  const [advice = ''] = /^.*?[.:;](?= |$)/.exec(remedy) ?? [];
  const others = suspects.length > 1 ? ` ${suspects.length - 1} more below.` : '';
  return `\`${className}\` grows ${speed}; ${share} % of all growth is held by ${holder}; pattern: ${PATTERN_WORDS[pattern]}; remedy: ${advice.replace(/[.:;]$/, '')}.${others}`;
}
