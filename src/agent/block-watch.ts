/**
 * Notices that the event loop was blocked, once it runs again: a timer came late, and the loop was not idle meanwhile.
 * The timer is slow, and holds no process: the longest block that it cannot see is shorter than the one that is asked for.
 * What blocked is read from the rolling profile, at once for a block that comes alone; where they come often, at most a
 * hundredth of the time goes into it, and those in between are named later, from the same samples.
 */
import { readFileSync, statSync } from 'node:fs';
import type { LoopBlock } from '../protocol/agent.ts';
import { monotonicMs } from '../runtime/index.ts';
import { NAMELESS, nameBlock, type BlockName } from './block-name.ts';
import { RollingProfile } from './rolling-profile.ts';
import type { SharedBeat } from './shared-beat.ts';

const LEAST_TICK_MS = 50;
const MOST_TICK_MS = 250;
/** Ticks to the shortest block: how exact its beginning is known where the loop was busy before. */
const TICKS_PER_BLOCK = 4;
/** The profiler is begun once the event loop runs: a worker that starts has better things to do. */
const PROFILE_AFTER_MS = 1000;
/** Naming a block may take a hundredth of the time since the one before. */
const REST_PER_NAMING = 100;
const MOST_SOURCE_BYTES = 4 * 1024 * 1024;

export interface BlockWatchOptions {
  readonly agentFile: string;
  readonly onBlock: () => void;
  /** How late a tick of the timer was, in milliseconds. */
  readonly onLateness: (ms: number) => void;
  /** The profile, whose samples interrupt the loop's wait, has begun or ended. */
  readonly onProfile: (isOn: boolean) => void;
}

interface Noticed {
  readonly number: number;
  readonly fromUs: number;
  readonly toUs: number;
  name: BlockName | null;
}

export class BlockWatch {
  readonly #options: BlockWatchOptions;
  readonly #profile = new RollingProfile();
  #blockedAfterMs = Number.POSITIVE_INFINITY;
  #tickMs = MOST_TICK_MS;
  #timer: NodeJS.Timeout | null = null;
  #profileTimer: NodeJS.Timeout | null = null;
  #seenUs = 0;
  #idleMs = 0;
  #count = 0;
  #last: Noticed | null = null;
  #nameNotBeforeUs = 0;

  constructor(options: BlockWatchOptions) {
    this.#options = options;
  }

  /** Of what took the agent itself how long, microseconds. */
  costUs = 0;
  /** What the watchdog's thread looks at; null where there is none. */
  beat: SharedBeat | null = null;

  start(blockedAfterMs: number, hasProfile: boolean): void {
    this.#blockedAfterMs = blockedAfterMs;
    this.#tickMs = Math.min(MOST_TICK_MS, Math.max(LEAST_TICK_MS, blockedAfterMs / TICKS_PER_BLOCK));
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#seenUs = nowUs();
    this.#idleMs = idleMs();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs).unref();
    if (!hasProfile) return this.stopProfile();
    if (this.#profile.isOn) return;
    this.#profileTimer ??= setTimeout(() => this.#startProfile(), PROFILE_AFTER_MS).unref();
  }

  stopProfile(): void {
    if (this.#profileTimer !== null) clearTimeout(this.#profileTimer);
    this.#profileTimer = null;
    this.#profile.stop();
    this.#options.onProfile(false);
  }

  get hasProfile(): boolean {
    return this.#profile.isOn;
  }

  /** The last block; undefined where there was none. */
  get block(): LoopBlock | undefined {
    const last = this.#last;
    if (last === null) return undefined;
    return {
      number: last.number,
      durationMs: (last.toUs - last.fromUs) / 1000,
      endedMsAgo: Math.max(0, (nowUs() - last.toUs) / 1000),
      isOver: true,
      ...(last.name ?? NAMELESS),
    };
  }

  #startProfile(): void {
    this.#profileTimer = null;
    const beganUs = nowUs();
    this.#profile.start();
    this.#options.onProfile(this.#profile.isOn);
    this.costUs += nowUs() - beganUs;
    // That was us.
    this.#seen();
  }

  #seen(): void {
    this.#seenUs = nowUs();
    this.#idleMs = idleMs();
  }

  #tick(): void {
    this.beat?.beat();
    const atUs = nowUs();
    const sinceMs = (atUs - this.#seenUs) / 1000;
    const busyMs = sinceMs - Math.max(0, idleMs() - this.#idleMs);
    this.#options.onLateness(Math.max(0, sinceMs - this.#tickMs));
    const isBlock = busyMs >= this.#blockedAfterMs;
    if (isBlock) this.#last = { number: ++this.#count, fromUs: atUs - busyMs * 1000, toUs: atUs, name: null };
    if (isBlock && this.beat !== null) this.beat.blocks = this.#count;
    const isNamed = this.#nameIfDue(atUs);
    this.#seen();
    this.costUs += this.#seenUs - atUs;
    if (isBlock || isNamed) this.#options.onBlock();
  }

  /** True where the last block has got a name. */
  #nameIfDue(atUs: number): boolean {
    const last = this.#last;
    if (last === null || last.name !== null || atUs < this.#nameNotBeforeUs || !this.#profile.isOn) return false;
    const profile = this.#profile.take();
    if (profile === null) return false;
    const { fromUs, toUs } = last;
    const { agentFile } = this.#options;
    last.name = nameBlock(profile, { fromUs, toUs, agentFile, readSource });
    const tookUs = nowUs() - atUs;
    this.#nameNotBeforeUs = atUs + tookUs * REST_PER_NAMING;
    return last.name.place !== null;
  }
}

/** The clock of V8's profiler: the system's monotonic one. */
function nowUs(): number {
  return monotonicMs() * 1000;
}

const idleMs = (): number => performance.eventLoopUtilization().idle;

function readSource(file: string): string | null {
  try {
    return statSync(file).size > MOST_SOURCE_BYTES ? null : readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
