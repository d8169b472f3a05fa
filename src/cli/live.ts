/** What a command shows, again every second: on a screen of its own, or as a document a line where that is asked for. */
import type { CliContext } from './context.ts';
import { openScreen } from './screen.ts';

const EVERY_MS = 1000;

export const WATCH_OPTION = { flags: '-w, --watch', about: 'again every second, on a screen of its own; q ends it' };

export interface LiveView<View> {
  readonly read: () => Promise<View>;
  readonly render: (view: View) => string;
  /** A key that was pressed, other than those that end it. */
  readonly onKey?: (key: string) => void;
}

/** Ends with `q`, Ctrl-C, or the last reader. Where nobody sits in front of it, what can be used is shown once. */
export const showLive = async <View>(
  context: CliContext,
  { read, render, onKey }: LiveView<View>,
  { json = false, watch }: { readonly json?: boolean | undefined; readonly watch: boolean },
): Promise<0> => {
  const print = (view: View): void => context.print(json ? JSON.stringify(view) : render(view));
  const { stdin, stdout } = process;
  if (!watch || (!json && !(stdin.isTTY && stdout.isTTY))) {
    print(await read());
    return 0;
  }
  if (json) {
    const signal = context.interrupted();
    context.endWithReader();
    while (!signal.aborted) {
      print(await read());
      await pause(EVERY_MS, signal);
    }
    return 0;
  }
  const screen = openScreen(stdin, stdout);
  try {
    for (;;) {
      screen.draw(render(await read()).split('\n'));
      const key = await screen.nextKey(EVERY_MS);
      if (key === null || key === 'q') return 0;
      if (key !== '') onKey?.(key);
    }
  } finally {
    screen.close();
  }
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
