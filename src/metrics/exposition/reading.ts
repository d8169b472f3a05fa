/** What the daemon knows of its workers when a page is written: the input of {@link file://./exposition.ts}. */
import type { AgentMessage, AgentReport, AppHealthDocument } from '../../protocol/index.ts';

/** An agent's answer to `collect`. */
export type Collected = Pick<
  Extract<AgentMessage, { type: 'metrics' }>,
  'detail' | 'routes' | 'app' | 'dropped' | 'trouble'
>;

export interface WorkerReading {
  /** `app/slot`. */
  readonly worker: string;
  /** Unique for each spawn, so that two workers of one slot are told apart, and their counters added up. */
  readonly spawn: string;
  readonly pid: number | null;
  /** Version of Node, `v24.21.0`; null for other programs. */
  readonly node: string | null;
  readonly isReady: boolean;
  /** The last one. */
  readonly report: AgentReport;
  /** Null: it did not answer (it is blocked, or its agent knows of no `collect`); what it answered before is shown. */
  readonly collected: Collected | null;
  /** Connections that wait to be accepted; null where nobody knows. */
  readonly acceptQueue: number | null;
}

export interface AppReading {
  readonly app: string;
  /** How many workers it should have. */
  readonly instances: number;
  /** In the order of slots; of one slot the newest last. */
  readonly workers: readonly WorkerReading[];
  readonly readyWorkers: number;
  /** Left out where nobody has judged it. */
  readonly health?: AppHealthDocument;
  /** `metrics.routes` of its configuration. */
  readonly routes: number;
}

export interface DaemonReading {
  readonly version: string;
  readonly startedAtSeconds: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}
