/**
 * Says things to the service manager, in order: what it has no room for now is kept and said a little later. Never
 * throws and never waits, whatever the manager does.
 */
import { closeDescriptor, duplicate, type NotifyOutcome, type NotifySocket } from '../../os/index.ts';

export interface Notifier {
  /** Fields as in sd_notify(3), with the descriptor that they are about. */
  tell(fields: Fields, descriptor?: number): void;
  /** Something was not said yet. */
  readonly isBusy: boolean;
  /** Resolves when all was said, or after `withinMs`. */
  flush(withinMs: number): Promise<void>;
  close(): void;
}

export type Fields = Readonly<Record<string, string | number>>;

interface Waiting {
  readonly text: string;
  /** Said of the same thing later, it makes this one superfluous. */
  readonly topic: string | null;
  /** A duplicate, closed once sent. */
  readonly descriptor: number | null;
}

const FULL_RETRY_MS = 5;
const ABSENT_RETRY_MS = 500;
/** Only the last of these is of interest. */
const TOPICS = ['STATUS', 'WATCHDOG', 'EXTEND_TIMEOUT_USEC'];

export const openNotifier = (socket: NotifySocket): Notifier => {
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | null = null;
  let onDrained: (() => void) | null = null;

  const retryAfter = (outcome: NotifyOutcome): void => {
    timer = setTimeout(resume, outcome === 'full' ? FULL_RETRY_MS : ABSENT_RETRY_MS);
    // Somebody who flushes waits for this.
    if (onDrained === null) timer.unref();
  };
  const resume = (): void => {
    timer = null;
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const outcome = socket.send(first.text, first.descriptor);
      if (outcome !== 'sent') return retryAfter(outcome);
      waiting.shift();
      if (first.descriptor !== null) closeDescriptor(first.descriptor);
    }
    onDrained?.();
  };

  return {
    get isBusy() {
      return waiting.length > 0;
    },
    tell(fields, descriptor) {
      const text = Object.entries(fields)
        .map(([name, value]) => `${name}=${oneLine(String(value))}`)
        .join('\n');
      const topic = TOPICS.find((name) => Object.keys(fields)[0] === name) ?? null;
      if (waiting.length === 0) {
        const outcome = socket.send(text, descriptor ?? null);
        if (outcome === 'sent') return;
        retryAfter(outcome);
      } else if (topic !== null) waiting = waiting.filter((each) => each.topic !== topic);
      waiting.push({ text, topic, descriptor: descriptor === undefined ? null : duplicate(descriptor) });
    },
    async flush(withinMs) {
      if (waiting.length === 0) return;
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, withinMs);
        timer?.ref();
        onDrained = () => {
          clearTimeout(deadline);
          resolve();
        };
      });
      onDrained = null;
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      for (const { descriptor } of waiting) if (descriptor !== null) closeDescriptor(descriptor);
      waiting = [];
      socket.close();
    },
  };
};

/** A line break would begin another field. */
const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');
