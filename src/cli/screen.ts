/**
 * A terminal screen of its own, drawn anew as a whole: the alternate screen of the terminal, so that what was there before
 * comes back, and single keys. However it ends, the terminal is left as it was. Knows nothing of what is shown.
 */
import type { ReadStream, WriteStream } from 'node:tty';
import { cutLine, splitKeys } from './screen-text.ts';

// Without wrapping: a long reason must not push the rows below it off the screen.
const ENTER = '\u001B[?1049h\u001B[?25l\u001B[?7l';
const LEAVE = '\u001B[?7h\u001B[?25h\u001B[?1049l';
const HOME = '\u001B[H';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const INTERRUPT = '\u0003';
const SUSPEND = '\u001A';
/** A process that is stopped gets on with its timers when it is continued. */
const STOPPED_MS = 50;

export interface Screen {
  /** Lines beyond the height are left out, and what of a line is beyond the width. */
  draw(lines: readonly string[]): void;
  readonly rows: number;
  /**
   * Resolves with the next key (`q`, `\u001B[A`), `''` when there is something to draw anew: {@link Screen.wake} was called or
   * the window's size changed; null for Ctrl-C and where nobody can press a key any more.
   */
  nextKey(): Promise<string | null>;
  wake(): void;
  close(): void;
}

export const openScreen = (input: ReadStream, output: WriteStream): Screen => {
  const pending: (string | null)[] = [];
  let isDue = false;
  let resume: (() => void) | null = null;
  const wake = (): void => {
    isDue = true;
    resume?.();
  };
  const enter = (): void => {
    output.write(ENTER);
    input.setRawMode(true);
  };
  const leave = (): void => {
    input.setRawMode(false);
    output.write(LEAVE);
  };
  const end = (): void => {
    pending.push(null);
    wake();
  };
  /** As the terminal does with Ctrl-Z where it is not told to leave keys alone: with all of the job. */
  const suspend = (): void => {
    leave();
    process.kill(0, 'SIGTSTP');
    setTimeout(() => {
      enter();
      wake();
    }, STOPPED_MS);
  };
  const onData = (data: Buffer): void => {
    for (const key of splitKeys(data.toString('utf8'))) {
      if (key === SUSPEND) suspend();
      else pending.push(key === INTERRUPT ? null : key);
    }
    wake();
  };
  // A terminal that is left as it is now would be of no use to whoever ended us.
  const die = (signal: NodeJS.Signals): void => {
    leave();
    process.kill(process.pid, signal);
  };
  enter();
  process.once('SIGTERM', die).once('SIGHUP', die).on('SIGINT', end);
  input.on('data', onData).on('end', end);
  output.on('resize', wake);
  return {
    wake,
    get rows() {
      return output.rows;
    },
    draw(lines) {
      // Cleared before, not behind: the cursor stays on the last character of a line that is as wide as the screen.
      const shown = lines.slice(0, output.rows).map((line) => CLEAR_LINE + cutLine(line, output.columns));
      output.write(HOME + shown.join('\r\n') + CLEAR_BELOW);
    },
    async nextKey() {
      if (pending.length === 0 && !isDue)
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      resume = null;
      isDue = false;
      const key = pending.shift();
      return key === undefined ? '' : key;
    },
    close() {
      input.off('data', onData).off('end', end);
      output.off('resize', wake);
      input.pause();
      process.off('SIGTERM', die).off('SIGHUP', die).off('SIGINT', end);
      leave();
    },
  };
};
