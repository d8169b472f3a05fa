/** What a command shows, again every second: on a screen of its own, or as a document a line where that is asked for. */
import { setTimeout as wait } from 'node:timers/promises';
import { DroverError } from '../protocol/index.ts';
import type { CliContext } from './context.ts';
import { formatTime } from './render/values.ts';
import { openScreen } from './screen.ts';

const EVERY_MS = 1000;

export const WATCH_OPTION = {
  flags: '-w, --watch',
  about: 'again every second, on a screen of its own (q ends it); with --json a document a second, a line each',
};

export interface LiveView<View> {
  readonly read: () => Promise<View>;
  readonly render: (view: View) => string;
  /** A key that was pressed, other than those that end it and those that scroll. */
  readonly onKey?: (key: string) => void;
}

/**
 * Ends with `q`, Ctrl-C, or the last reader. Where nobody sits in front of it, what can be used is shown once. A daemon that
 * goes away is waited for, with what it said last; where there is none to begin with, that is an error.
 */
export const showLive = async <View>(
  context: CliContext,
  view: LiveView<View>,
  { json = false, watch }: { readonly json?: boolean | undefined; readonly watch: boolean },
): Promise<0> => {
  const { read, render } = view;
  const first = await read();
  const print = (found: View): void => context.print(json ? JSON.stringify(found) : render(found));
  if (!watch || (!json && !(process.stdin.isTTY && process.stdout.isTTY))) {
    print(first);
    return 0;
  }
  if (!json) return showScreen(context, view, first);
  const signal = context.interrupted();
  context.endWithReader();
  for (let found = first; ; found = await read()) {
    print(found);
    await pause(EVERY_MS, signal);
    if (signal.aborted) return 0;
  }
};

/** How many lines each key goes down, of so many that are on the screen. */
const SCROLLS: Readonly<Record<string, (shown: number) => number>> = {
  '\u001B[A': () => -1,
  '\u001B[B': () => 1,
  k: () => -1,
  j: () => 1,
  '\u001B[5~': (shown) => -shown,
  '\u001B[6~': (shown) => shown,
  ' ': (shown) => shown,
  '\u001B[H': () => -Infinity,
  '\u001B[F': () => Infinity,
};

const showScreen = async <View>(
  context: CliContext,
  { read, render, onKey }: LiveView<View>,
  first: View,
): Promise<0> => {
  const { stdin, stdout } = process;
  let latest = first;
  let top = 0;
  let awaySinceMs: number | null = null;
  let failure: unknown = null;
  let isReading = false;
  const over = new AbortController();
  const screen = openScreen(stdin, stdout);
  /** Beside the keys: `q` ends it also where the daemon does not answer. */
  const follow = async (): Promise<void> => {
    for (;;) {
      await pause(EVERY_MS, over.signal);
      if (over.signal.aborted) return;
      isReading = true;
      try {
        latest = await read();
        awaySinceMs = null;
      } catch (error) {
        if (!isAway(error)) throw error;
        awaySinceMs ??= context.nowMs();
      } finally {
        isReading = false;
      }
      screen.wake();
    }
  };
  void follow().catch((error: unknown) => {
    failure = error;
    screen.wake();
  });
  try {
    for (;;) {
      if (failure !== null) throw failure;
      const lines = render(latest).split('\n');
      const away = awaySinceMs === null ? [] : [context.paint('red', awayWords(awaySinceMs))];
      const room = Math.max(1, screen.rows - away.length);
      const isCut = lines.length > room;
      const shown = isCut ? Math.max(1, room - 1) : room;
      top = Math.max(0, Math.min(top, lines.length - shown));
      const more = isCut ? [context.paint('dim', moreWords(top, shown, lines.length))] : [];
      screen.draw([...away, ...lines.slice(top, top + shown), ...more]);
      const key = await screen.nextKey();
      if (key === null || key === 'q') return 0;
      const scroll = SCROLLS[key];
      if (scroll !== undefined) top += scroll(shown);
      else if (key !== '') onKey?.(key);
    }
  } finally {
    over.abort();
    screen.close();
    // A question that is under way, to a daemon that hangs, would keep the prompt from its user until its time is over.
    if (isReading) process.exit(0);
  }
};

/** It may come back: its guard brings it, and a new version takes over from it. */
const isAway = (error: unknown): boolean =>
  error instanceof DroverError && (error.code === 'DROVER_DAEMON_UNREACHABLE' || error.code === 'DROVER_TIMEOUT');

const awayWords = (sinceMs: number): string =>
  `The daemon has not answered since ${formatTime(new Date(sinceMs).toISOString())}. What it said last:`;

const moreWords = (top: number, shown: number, all: number): string =>
  `lines ${top + 1} to ${Math.min(all, top + shown)} of ${all}: ↑ ↓ and page up and down for the others, q quit`;

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await wait(ms, undefined, { signal });
  } catch {
    // It is over, and `signal` says so.
  }
};
