/**
 * The two ways to talk to the daemon, alike to the rest of the agent: the channel (a socketpair that also carries
 * descriptors), and the app's Unix socket for processes that the channel did not reach.
 */
import type { AgentMessage, DaemonMessage, Envelope } from '../protocol/agent.ts';
import { ENVELOPE_CMD } from '../protocol/agent.ts';
import type { ServerHandle } from '../runtime/index.ts';
import type { LineWriter } from './line-writer.ts';
import type { SharedBeat } from './shared-beat.ts';

export interface Link {
  /** False when the message was dropped. */
  readonly send: (message: AgentMessage) => boolean;
  /** Nobody answers for longer than a daemon takes to come back: is there another way to one? */
  readonly doubt: () => void;
  /** From now on the watchdog's thread is told by which descriptor the daemon is reached. Left out where there is none. */
  readonly share?: (beat: SharedBeat) => void;
}

export interface LinkEvents {
  readonly onMessage: (message: DaemonMessage, handle: ServerHandle | null) => void;
  /** A new connection: say hello. */
  readonly onOpen: () => void;
}

/** False when the message was dropped. */
export function writeMessage(writer: LineWriter, message: AgentMessage): boolean {
  const line = JSON.stringify({ cmd: ENVELOPE_CMD, m: message } satisfies Envelope<AgentMessage>);
  return writer.write(line, message.type === 'message' ? 'app' : 'agent');
}

/** Node wraps a message that brings a descriptor in one of its own. */
interface HandleEnvelope {
  readonly cmd: 'NODE_HANDLE';
  readonly msg: Envelope<DaemonMessage>;
}

/** Splits what arrives into messages; a line that is not one of ours is left out. */
export class LineReader {
  readonly #onMessage: LinkEvents['onMessage'];
  #rest: Buffer = Buffer.alloc(0);
  #handle: ServerHandle | null = null;

  constructor(onMessage: LinkEvents['onMessage']) {
    this.#onMessage = onMessage;
  }

  push(bytes: Buffer, handle: ServerHandle | null): void {
    // A descriptor comes with the first bytes of its message, whose end may come later.
    if (handle !== null) {
      this.#handle?.close();
      this.#handle = handle;
    }
    let from = 0;
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let end = all.indexOf(10); end !== -1; end = all.indexOf(10, from)) {
      const line = all.toString('utf8', from, end);
      from = end + 1;
      const envelope = parse(line);
      if (envelope === null) continue;
      if (envelope.cmd === 'NODE_HANDLE') {
        this.#onMessage(envelope.msg.m, this.#handle);
        this.#handle = null;
      } else this.#onMessage(envelope.m, null);
    }
    this.#rest = all.subarray(from);
  }
}

function parse(line: string): Envelope<DaemonMessage> | HandleEnvelope | null {
  try {
    const value = JSON.parse(line) as Envelope<DaemonMessage> | HandleEnvelope | null;
    if (value?.cmd === ENVELOPE_CMD && typeof value.m?.type === 'string') return value;
    if (value?.cmd === 'NODE_HANDLE' && value.msg?.cmd === ENVELOPE_CMD && typeof value.msg.m?.type === 'string') {
      return value;
    }
  } catch {
    // Not ours.
  }
  return null;
}
