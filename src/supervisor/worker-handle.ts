/**
 * The daemon's record of one worker process: its pid, its link, what it listens on and what it last said. Facts only;
 * the decisions are in `core/`, the actions in `tenant.ts`.
 */
import type {
  AgentMessage,
  AgentReport,
  DaemonMessage,
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
import { type Counting, WorkerReports } from './worker-reports.ts';

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

/** What an agent answers to a question. */
export type AgentAnswer = Extract<AgentMessage, { readonly type: 'metrics' | 'routes' | 'recovered' }>;

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
  /** Whether its event loop turns, which may not be known before it has listened: see `hear-loop.ts`. */
  loop: 'unheard' | 'asked' | 'heard' = 'unheard';
  /** When the loop answered late, after a load that counts for nothing; null: it never has. */
  loadedAt: number | null = null;
  isAccepting = false;
  /** Its agent said that it drains, perhaps because an earlier daemon asked: it takes no connection any more. */
  isLeaving = false;
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
  readonly #reports = new WorkerReports();
  readonly #waiting = new Map<number, (answer: AgentAnswer | null) => void>();
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
    return this.#reports.last;
  }

  get counters(): RequestCounters | null {
    return this.lastReport?.counters ?? null;
  }

  /** Whose the counters are. */
  get counting(): Counting {
    return this.#reports.counting;
  }

  /** The newest report and the oldest of about the last ten seconds. */
  get reportSpan(): { readonly first: AgentReport; readonly last: AgentReport } | null {
    return this.#reports.span;
  }

  /** Requests begun per second between the two newest reports. */
  get requestRate(): number {
    return this.#reports.requestRate;
  }

  /** Whether who says hello is another process than the one that reported before: a wrapper has started the app anew. */
  isOtherProcess(pid: number): boolean {
    return this.#reports.isOther(pid);
  }

  /** Nothing more is heard of the process that has spoken so far. */
  endProcess(): void {
    this.#reports.end();
    // It does not explain how the next one ends.
    this.exitWord = null;
  }

  /** `pid`: of the process that says hello, as it names itself. */
  nameProcess(pid: number): void {
    this.#reports.name(pid);
  }

  addReport(report: AgentReport): void {
    this.#reports.add(report);
  }

  /** Asks the agent for its counters now; resolves when they came, or after `withinMs` (it may be blocked). */
  async freshReport(schedule: Schedule, withinMs: number): Promise<void> {
    await this.#ask(schedule, withinMs, (id) => ({ type: 'report-now', id }));
  }

  /** Asks an agent that knows the question (version 2); null when it did not answer in time, or cannot. */
  async ask<Type extends AgentAnswer['type']>(
    schedule: Schedule,
    withinMs: number,
    question: (id: number) => DaemonMessage,
    type: Type,
  ): Promise<Extract<AgentAnswer, { type: Type }> | null> {
    if (this.agentProtocol < 2) return null;
    const answer = await this.#ask(schedule, withinMs, question);
    return answer?.type === type ? (answer as Extract<AgentAnswer, { type: Type }>) : null;
  }

  /** Whoever waits for an answer waits no longer. */
  loseAgent(): void {
    this.link = null;
    this.isAgentHere = false;
    for (const id of this.#waiting.keys()) this.answer(id, null);
  }

  answerReport(id: number): void {
    this.answer(id, null);
  }

  answer(id: number, answer: AgentAnswer | null): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.(answer);
  }

  #ask(schedule: Schedule, withinMs: number, question: (id: number) => DaemonMessage): Promise<AgentAnswer | null> {
    const { link } = this;
    if (link === null || !this.isAgentHere || this.pid === null) return Promise.resolve(null);
    this.#lastQuestion += 1;
    const id = this.#lastQuestion;
    return new Promise((resolve) => {
      const callOff = schedule.after(withinMs, () => this.answer(id, null));
      this.#waiting.set(id, (answer) => {
        callOff();
        resolve(answer);
      });
      link.send(question(id));
    });
  }

  /** What it listens on is known: its agent has told, or it was seen from outside. */
  get isHeard(): boolean {
    return this.isAgentHere || this.acceptsByItself;
  }

  get listening(): readonly HandleServer[] {
    return [...this.servers.values()].filter((server) => server.since !== null);
  }
}
