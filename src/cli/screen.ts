/**
 * A terminal screen of its own, drawn anew as a whole: the alternate screen of the terminal, so that what was there before
 * comes back, and single keys. Knows nothing of what is shown.
 */
import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';
const HOME = '\u001B[H';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const INTERRUPT = '\u0003';

export interface Screen {
  /** Lines beyond the height are left out; longer ones are cut by the terminal (no wrapping). */
  draw(lines: readonly string[]): void;
  readonly rows: number;
  /** Resolves with the next key, `''` when `ms` are over or the window's size changed, null for Ctrl-C. */
  nextKey(ms: number): Promise<string | null>;
  close(): void;
}

export const openScreen = (input: ReadStream, output: WriteStream): Screen => {
  const pending: string[] = [];
  let wake: (() => void) | null = null;
  const onData = (data: Buffer): void => {
    pending.push(data.toString('utf8'));
    wake?.();
  };
  const onResize = (): void => wake?.();
  // Without wrapping: a long reason must not push the rows below it off the screen.
  output.write(`${ENTER}\u001B[?7l`);
  const restore = (): void => void output.write(`\u001B[?7h${LEAVE}`);
  // A terminal that is left as it is now would be of no use to whoever ended us.
  const end = (signal: NodeJS.Signals): void => {
    restore();
    process.kill(process.pid, signal);
  };
  process.once('SIGTERM', end).once('SIGHUP', end);
  input.setRawMode(true);
  input.on('data', onData);
  output.on('resize', onResize);
  return {
    get rows() {
      return output.rows;
    },
    draw(lines) {
      const shown = lines.slice(0, output.rows - 1);
      output.write(`${HOME}${shown.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
    },
    async nextKey(ms) {
      if (pending.length === 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      wake = null;
      const key = pending.shift() ?? '';
      return key === INTERRUPT ? null : key;
    },
    close() {
      input.off('data', onData);
      output.off('resize', onResize);
      input.setRawMode(false);
      input.pause();
      process.off('SIGTERM', end).off('SIGHUP', end);
      restore();
    },
  };
};
