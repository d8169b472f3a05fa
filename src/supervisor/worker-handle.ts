/**
 * The daemon's record of one worker process: its pid, its link, what it listens on and what it last said. Facts only;
 * the decisions are in `core/`, the actions in `tenant.ts`.
 */
import type {
  AgentReport,
  DrainSummary,
  Lane,
  ListenAddress,
  LogDrops,
  RequestCounters,
  ServerState,
} from '../protocol/index.ts';
import type { Exit } from '../core/index.ts';
import type { AgentLink } from './agent-link.ts';
import type { Schedule } from './schedule.ts';

export interface HandleServer {
  readonly id: number;
  readonly key: string;
  readonly address: ListenAddress;
  readonly protocol: ServerState['protocol'];
  /** Monotonic time of the app's `listening`; null until then. */
  since: number | null;
}

export interface Adoption {
  hear(): void;
  end(exit: Exit): void;
  close(): void;
}

/** Reports kept for "the last ten seconds". */
const REPORTS_KEPT = 11;

export class WorkerHandle {
  /** `app/slot`. */
  readonly id: string;
  readonly app: string;
  readonly slot: number;
  readonly generation: number;
  readonly lane: Lane = 'stable';
  readonly release: number;
  readonly spawnId: string;
  /** Such as `24.21.0`; null for other programs, and behind a wrapper until the agent tells. */
  nodeVersion: string | null;
  /** Monotonic and wall time of the spawn. */
  readonly spawnedAt: number;
  readonly startedAt: number;
  pid: number | null = null;
  /** The pid it had, also after its end: what it started belongs to that session. */
  firstPid = 0;
  startTicks = 0;
  /** False for a worker adopted from an earlier daemon: it is nobody's child. */
  isChild = false;
  link: AgentLink | null = null;
  /** Of a worker taken over from an earlier daemon: what awaits its agent. Null for our own children. */
  adoption: Adoption | null = null;
  /** The agent said hello: messages will be understood. */
  isAgentHere = false;
  /** The version of the words that its agent speaks, once it said hello. */
  agentProtocol = 1;
  /** Monotonic time of its first hello; of one that spoke to an earlier daemon, since when it surely had. */
  helloAt: number | null = null;
  isAccepting = false;
  /** Seen to listen from outside: no agent had come that could hold it back. */
  acceptsByItself = false;
  /** Other processes of its tree listen as well, and cannot be drained. */
  hasBystanders = false;
  hasSentGarbage = false;
  /** Its ports were noted as the app's. */
  isLearned = false;
  /** Pid of the process that the agent lives in: behind a wrapper not the one that was spawned. */
  agentPid: number | null = null;
  /** Why a `listen` was refused, naming the holder: explains an exit that follows. */
  portTaken: string | null = null;
  /** How often a `listen` was refused. */
  refusals = 0;
  signalledReadyAt: number | null = null;
  drain: DrainSummary | null = null;
  /** Lines of its output are being dropped, and an event says so. */
  isDroppingLog = false;
  /** Drops that the last event about their end told of, and when there was an event about drops. */
  toldDrops: LogDrops | null = null;
  dropsToldAt = -Infinity;
  /** What it printed last, while the event of its crash is written. */
  lastWords: readonly string[] = [];
  exitWord: { readonly code: number; readonly reason: string | null } | null = null;
  readonly servers = new Map<number, HandleServer>();
  #reports: AgentReport[] = [];
  readonly #waiting = new Map<number, () => void>();
  #lastQuestion = 0;

  constructor(facts: {
    readonly app: string;
    readonly slot: number;
    readonly generation: number;
    readonly release: number;
    readonly spawnId: string;
    readonly nodeVersion: string | null;
    readonly spawnedAt: number;
    readonly startedAt: number;
  }) {
    this.id = `${facts.app}/${facts.slot}`;
    this.app = facts.app;
    this.slot = facts.slot;
    this.generation = facts.generation;
    this.release = facts.release;
    this.spawnId = facts.spawnId;
    this.nodeVersion = facts.nodeVersion;
    this.spawnedAt = facts.spawnedAt;
    this.startedAt = facts.startedAt;
  }

  /** Unique among all workers, also of the same slot. */
  get holderId(): string {
    return `${this.id}#${this.generation}`;
  }

  /** When something was that the agent says is so long ago: not before there was the process. */
  timeBefore(at: number, agoMs = 0): number {
    return Math.min(at, Math.max(this.spawnedAt, at - agoMs));
  }

  get lastReport(): AgentReport | null {
    return this.#reports.at(-1) ?? null;
  }

  get counters(): RequestCounters | null {
    return this.lastReport?.counters ?? null;
  }

  /** The newest report and the oldest of about the last ten seconds. */
  get reportSpan(): { readonly first: AgentReport; readonly last: AgentReport } | null {
    const first = this.#reports[0];
    const last = this.#reports.at(-1);
    return first === undefined || last === undefined ? null : { first, last };
  }

  /** Requests begun per second between the two newest reports. */
  get requestRate(): number {
    const [before, last] = this.#reports.slice(-2);
    if (before === undefined || last === undefined) return 0;
    // By the worker's own clock: what it said while no daemon listened is all read in one moment.
    const spanMs = last.runtime.uptimeMs - before.runtime.uptimeMs;
    return spanMs <= 0 ? 0 : ((last.counters.begun - before.counters.begun) / spanMs) * 1000;
  }

  addReport(report: AgentReport): void {
    const last = this.#reports.at(-1);
    // A report that answers `report-now` may overtake a periodic one; counters never go back.
    if (last !== undefined && report.seq < last.seq) return;
    this.#reports.push(report);
    if (this.#reports.length > REPORTS_KEPT) this.#reports.shift();
  }

  /** Asks the agent for its counters now; resolves when they came, or after `withinMs` (it may be blocked). */
  freshReport(schedule: Schedule, withinMs: number): Promise<void> {
    const { link } = this;
    if (link === null || !this.isAgentHere || this.pid === null) return Promise.resolve();
    this.#lastQuestion += 1;
    const id = this.#lastQuestion;
    return new Promise((resolve) => {
      const callOff = schedule.after(withinMs, () => this.answerReport(id));
      this.#waiting.set(id, () => {
        callOff();
        resolve();
      });
      link.send({ type: 'report-now', id });
    });
  }

  answerReport(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }

  /** What it listens on is known: its agent has told, or it was seen from outside. */
  get isHeard(): boolean {
    return this.isAgentHere || this.acceptsByItself;
  }

  get listening(): readonly HandleServer[] {
    return [...this.servers.values()].filter((server) => server.since !== null);
  }
}
