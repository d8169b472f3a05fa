/**
 * The workers that an app forks by node:cluster: they have the connections, so they are what has to be drained and
 * counted. Each gets this agent as well, which speaks to this process over cluster's own channel; for the daemon all of
 * them are one worker.
 */
import type * as ChildProcesses from 'node:child_process';
import {
  BOOT_VARIABLE,
  ENVELOPE_CMD,
  type AgentBoot,
  type AgentMessage,
  type AgentReport,
  type DaemonMessage,
  type DrainSummary,
  type Envelope,
  type LogDrops,
  type RequestCounters,
} from '../protocol/agent.ts';
import { sumCounters, sumDrops } from '../runtime/index.ts';

/** What `ChildProcess.prototype.spawn` is given, as far as it matters here. */
interface SpawnOptions {
  readonly args?: string[];
  envPairs?: string[];
}

type ChildProcess = ChildProcesses.ChildProcess;
type Spawn = (this: ChildProcess, options: SpawnOptions) => unknown;
type DrainMessage = Extract<DaemonMessage, { type: 'drain' }>;

interface Branch {
  readonly child: ChildProcess;
  report: AgentReport | null;
  onDrained: ((summary: DrainSummary) => void) | null;
}

const CLUSTER_MARK = 'NODE_UNIQUE_ID=';
/** The connections that this process has taken have been handed out by then. */
const HANDED_OUT_AFTER_MS = 100;
const NOTHING_CUT: DrainSummary = { cutRequests: 0, cutUpgrades: 0, cutConnections: 0, closedUpgrades: 0 };

export class Branches {
  readonly #boot: AgentBoot;
  readonly #agentFile: string;
  readonly #living = new Set<Branch>();
  /** Last words of those that have ended, added up: an app may go on forking for as long as it lives. */
  #ended: RequestCounters | null = null;
  #droppedByEnded: LogDrops | undefined;

  constructor(boot: AgentBoot, agentFile: string) {
    this.#boot = boot;
    this.#agentFile = agentFile;
    // `cluster` adds this listener when it is set up, just before its first fork.
    const onListener = (name: string | symbol): void => {
      if (name !== 'internalMessage') return;
      process.removeListener('newListener', onListener);
      this.#patch();
    };
    process.on('newListener', onListener);
  }

  get inFlight(): number {
    return this.#sum((report) => report.runtime.inFlight);
  }

  get openConnections(): number {
    return this.#sum((report) => report.runtime.openConnections);
  }

  /** Changes whenever one of them had traffic. */
  get activity(): number {
    return this.#sum((report) => report.counters.begun);
  }

  /** What their output lost to a full disk. */
  get drops(): LogDrops | undefined {
    return sumDrops([this.#droppedByEnded, ...[...this.#living].map(({ report }) => report?.log)]);
  }

  /** The counters of this process with those of all that it forked. Connections were counted here. */
  addTo(own: RequestCounters): RequestCounters {
    const living = [...this.#living].flatMap(({ report }) => report?.counters ?? []);
    return sumCounters(own, this.#ended === null ? living : [this.#ended, ...living]);
  }

  /** Drains every one of them; this process has stopped accepting. */
  async drain(message: DrainMessage): Promise<DrainSummary> {
    if (this.#living.size === 0) return NOTHING_CUT;
    await new Promise((resolve) => setTimeout(resolve, HANDED_OUT_AFTER_MS));
    const summaries = await Promise.all([...this.#living].map(async (branch) => drainBranch(branch, message)));
    return summaries.reduce(addSummaries, NOTHING_CUT);
  }

  #sum(read: (report: AgentReport) => number): number {
    let sum = 0;
    for (const { report } of this.#living) if (report !== null) sum += read(report);
    return sum;
  }

  #patch(): void {
    const { prototype } = (require('node:child_process') as typeof ChildProcesses).ChildProcess as unknown as {
      readonly prototype: { spawn: Spawn };
    };
    const original = prototype.spawn;
    const prepare = (options: SpawnOptions): void => this.#prepare(options);
    const add = (child: ChildProcess): void => this.#add(child);
    prototype.spawn = function spawn(options) {
      if (options.envPairs?.some((pair) => pair.startsWith(CLUSTER_MARK)) !== true) return original.call(this, options);
      prepare(options);
      const result = original.call(this, options);
      // One that the system refused to make never tells of an end.
      if (this.pid !== undefined) add(this);
      return result;
    };
  }

  #prepare(options: SpawnOptions): void {
    const boot: AgentBoot = { ...this.#boot, channel: null, peer: null, shards: [] };
    options.args?.splice(1, 0, '--require', this.#agentFile);
    options.envPairs = [
      ...(options.envPairs ?? []).filter((pair) => !pair.startsWith(`${BOOT_VARIABLE}=`)),
      `${BOOT_VARIABLE}=${JSON.stringify(boot)}`,
    ];
  }

  #add(child: ChildProcess): void {
    const branch: Branch = { child, report: null, onDrained: null };
    this.#living.add(branch);
    child.on('internalMessage' as 'message', (envelope) => {
      const { cmd, m } = envelope as Envelope<AgentMessage>;
      if (cmd === ENVELOPE_CMD) this.#receive(branch, m);
    });
    child.once('exit', () => {
      this.#living.delete(branch);
      if (branch.report !== null) this.#keepLastWord(branch.report);
      branch.onDrained?.(NOTHING_CUT);
    });
  }

  #keepLastWord({ counters, log }: AgentReport): void {
    this.#ended = this.#ended === null ? counters : sumCounters(this.#ended, [counters]);
    // Whoever is gone drops nothing any more.
    this.#droppedByEnded = sumDrops([this.#droppedByEnded, log && { ...log, isDropping: false }]);
  }

  #receive(branch: Branch, message: AgentMessage): void {
    if ('report' in message) branch.report = message.report;
    if (message.type === 'report') tell(branch, { type: 'ack', seq: message.report.seq });
    if (message.type === 'drained') branch.onDrained?.(message.summary);
  }
}

const drainBranch = async (branch: Branch, message: DrainMessage): Promise<DrainSummary> =>
  new Promise((resolve) => {
    branch.onDrained = resolve;
    // How it ends is up to the app, as it would be without us.
    tell(branch, { ...message, thenExit: false });
  });

/** Cluster's channel may be closed by now: its worker is about to end then. */
const tell = ({ child, onDrained }: Branch, message: DaemonMessage): void => {
  const envelope: Envelope<DaemonMessage> = { cmd: ENVELOPE_CMD, m: message };
  const isDrain = message.type === 'drain';
  child.send(envelope, (error) => {
    if (error !== null && isDrain) onDrained?.(NOTHING_CUT);
  });
};

export const addSummaries = (one: DrainSummary, other: DrainSummary): DrainSummary => ({
  cutRequests: one.cutRequests + other.cutRequests,
  cutUpgrades: one.cutUpgrades + other.cutUpgrades,
  cutConnections: one.cutConnections + other.cutConnections,
  closedUpgrades: one.closedUpgrades + other.closedUpgrades,
});
