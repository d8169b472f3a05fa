/**
 * The watchdog's thread. While the main thread's beats stay away for as long as a block takes, it interrupts the main
 * thread by the debugger for as long as it takes to read the stack, lets it go on, and writes `blocked` to the daemon by
 * the main thread's descriptor, which is idle meanwhile. JavaScript is interrupted at once; a built-in or a system call
 * when it returns, which still names who has called it: until then it is only said that the loop is blocked.
 */
import { readFileSync, writeSync } from 'node:fs';
import type * as Inspector from 'node:inspector';
import { ENVELOPE_CMD, type AgentMessage, type Envelope, type LoopBlock } from '../protocol/agent.ts';
import { NAMELESS, nameStack, type BlockName, type StackFrame } from './block-name.ts';
import { SharedBeat } from './shared-beat.ts';

export const WATCHDOG_MARK = 'drover.watchdog';

export interface WatchdogOrder {
  readonly mark: typeof WATCHDOG_MARK;
  readonly numbers: Int32Array<SharedArrayBuffer>;
  readonly blockedAfterMs: number;
  readonly agentFile: string;
}

/** The stack of JavaScript is there within this; what takes longer is a built-in, and is told of without a name first. */
const AT_ONCE_MS = 100;
const LOOKS_PER_BLOCK = 4;

export const isWatchdogOrder = (data: unknown): data is WatchdogOrder =>
  (data as { readonly mark?: unknown } | null)?.mark === WATCHDOG_MARK;

export function runWatchdog(order: WatchdogOrder): void {
  const beat = new SharedBeat(order.numbers);
  let seen = beat.beats;
  let seenAt = performance.now();
  let hasAsked = true;
  setInterval(() => {
    const { beats } = beat;
    if (beats !== seen) {
      seen = beats;
      seenAt = performance.now();
      hasAsked = false;
    } else if (!hasAsked && performance.now() - seenAt >= order.blockedAfterMs) {
      hasAsked = true;
      ask(order, beat, seenAt);
    }
  }, order.blockedAfterMs / LOOKS_PER_BLOCK);
}

function ask({ agentFile }: WatchdogOrder, beat: SharedBeat, sinceMs: number): void {
  const number = beat.blocks + 1;
  const beatsBefore = beat.beats;
  const tell = (name: BlockName): void => {
    const isOver = beat.beats !== beatsBefore;
    // The main thread tells of those itself.
    if (isOver) return;
    const durationMs = performance.now() - sinceMs;
    send(beat, {
      type: 'blocked',
      block: { number, durationMs, endedMsAgo: 0, isOver: false, ...name } satisfies LoopBlock,
    });
  };
  const nameless = setTimeout(() => tell(NAMELESS), AT_ONCE_MS);
  const isAsked = readMainStack((frames) => {
    clearTimeout(nameless);
    tell(nameStack(frames, { agentFile, readSource }));
  });
  if (!isAsked) tell(NAMELESS);
}

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string;
    readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
  }[];
}

/** False where somebody else debugs this process. `onStack` is called with the innermost frame first. */
function readMainStack(onStack: (frames: readonly StackFrame[]) => void): boolean {
  const inspector = require('node:inspector') as typeof Inspector;
  if (inspector.url() !== undefined) return false;
  const session = new inspector.Session();
  try {
    session.connectToMainThread();
  } catch {
    return false;
  }
  const urls = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    const { callFrames } = params as unknown as Paused;
    // Nothing but this lets the main thread go on, so that it never does with a debugger: Node says so when a process ends.
    session.disconnect();
    onStack(
      callFrames.map(({ functionName, location }) => ({
        functionName,
        url: urls.get(location.scriptId) ?? '',
        lineNumber: location.lineNumber,
        columnNumber: location.columnNumber ?? 0,
      })),
    );
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  return true;
}

function send(beat: SharedBeat, message: AgentMessage): void {
  const fd = beat.freeDescriptor;
  if (fd === null) return;
  try {
    // Small enough for a socket to take it as a whole or not at all.
    writeSync(fd, `${JSON.stringify({ cmd: ENVELOPE_CMD, m: message } satisfies Envelope<AgentMessage>)}\n`);
  } catch {
    // The daemon hears of the block when it is over.
  }
}

function readSource(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
