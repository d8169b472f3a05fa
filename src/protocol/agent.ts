/**
 * The words between the daemon and the agent inside a worker.
 *
 * Transport: the worker's *channel*, a socketpair made by the daemon (`os/channel.ts`) that carries Node's own
 * IPC framing: one JSON document a line. Each message travels inside an {@link Envelope}, whose `cmd` begins with
 * `NODE_` so that Node delivers it as `internalMessage` and the app never sees it. A descriptor travels as Node's
 * `NODE_HANDLE` message around the envelope. Behind wrappers, where no channel arrives, the same messages go over the
 * app's Unix socket, one JSON {@link Envelope} a line, without descriptors.
 *
 * Nothing in this file may have a run-time cost: the agent loads it in every worker.
 *
 * Agent and daemon may be of different versions: workers live on when the daemon is upgraded, and when it is put back.
 * So fields are only ever added, as optional ones that the other side may not know; each side ignores fields that it
 * does not know, and messages of unknown types when the other says (by `v`) that it speaks a later version. `v` is raised
 * when a message gets a type or a meaning that the other side should know of before it is used. What agents of version 1
 * say is recorded in `test/fixtures/agent-v1.json`, which every daemon must understand.
 */

export { MEETING_NAME } from './app-meeting.ts';
export type { AgentSide, AppSide, Meeting, TraceContext } from './app-meeting.ts';
export { secondName, secondNamePrefix } from './second-name.ts';

/** What this side speaks. */
export const AGENT_PROTOCOL = 2;

export const ENVELOPE_CMD = 'NODE_DROVER';

export interface Envelope<Message> {
  readonly cmd: typeof ENVELOPE_CMD;
  readonly m: Message;
}

/** Name of the environment variable that carries {@link AgentBoot} as JSON; the agent deletes it from `process.env`. */
export const BOOT_VARIABLE = 'DROVER_AGENT';
/** Marks every descendant of one spawn; stays in the environment so that the whole tree of a worker can be found. */
export const SPAWN_VARIABLE = 'DROVER_SPAWN';

/** `fd:inode`. The number is only trusted when `fstat` of the descriptor gives the same inode. */
export type DescriptorName = `${number}:${number}`;

/**
 * Where a server listens, as the kernel groups it. `port` 0 never appears here: it has been resolved.
 * `host` is a literal IP address: `::` with `v6only: false` is dual-stack. `path` is a Unix socket.
 */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly v6only: boolean }
  | { readonly kind: 'unix'; readonly path: string };

/** A port that this worker may serve, handed over at spawn: the public listening socket and the private one. */
export interface BootShard {
  readonly key: string;
  readonly address: ListenAddress;
  /** The n-th `listen(0)` of the app when the app asked for a random port, else null. */
  readonly randomIndex: number | null;
  readonly shard: DescriptorName;
  /** A listening Unix socket that only the daemon reaches; null where none could be made. */
  readonly private: DescriptorName | null;
}

export interface AgentBoot {
  readonly v: 1;
  readonly app: string;
  readonly worker: string;
  /** Unique per spawn: `<boot-unique token>`. The agent presents it in `hello`. */
  readonly spawn: string;
  /** Of the spawn in its slot: not for the agent, but for a daemon that finds the process and has no record of it. */
  readonly generation: number;
  /** The worker's end of the channel, and a copy of the daemon's end that is only kept open. Null behind wrappers. */
  readonly channel: DescriptorName | null;
  readonly peer: DescriptorName | null;
  /** Unix socket for workers without a channel. */
  readonly socketPath: string;
  readonly shards: readonly BootShard[];
  /** Accept as soon as a server listens (nobody else serves), instead of waiting for `accept`. */
  readonly acceptAtOnce: boolean;
  /** Milliseconds between reports. */
  readonly reportEveryMs: number;
  /** True where the process may be a wrapper around the app: the agent sleeps until something listens. */
  readonly wrapped: boolean;
  /**
   * Where the agent was loaded from. Not for the agent: as long as a process has it in its environment that copy stays
   * (`program/remove-old.ts`), also where the app writes a title over its command line. Not said by earlier Drovers.
   */
  readonly agent?: string;
}

/** What the app asked for in `server.listen(...)`, after Node resolved names. */
export interface ListenRequest {
  /** Literal IP address, or null for "any" (Node tries `::` dual-stack first, then `0.0.0.0`). */
  readonly host: string | null;
  readonly port: number;
  readonly v6only: boolean;
  readonly path: string | null;
  /** For `port: 0`: how many `listen(0)` calls of this process came before; else null. */
  readonly randomIndex: number | null;
  /** For `port: 0`: the port that the agent reserved so that `address()` answers at once; else null. */
  readonly reservedPort: number | null;
}

/** Counters since the worker started. Monotonic, but for `lost` of a worker whose drain is over: see there. */
export interface RequestCounters {
  /** Requests begun (headers parsed); for HTTP/2, streams. */
  readonly begun: number;
  /** Responses finished with a status below 500. */
  readonly served: number;
  /** Responses finished with 500 or above. */
  readonly failed: number;
  /**
   * Begun, and without a complete response although the client was still there: the agent closed its connection, or the
   * process had to end. What the app answers after that, on its way out, is not lost any more.
   */
  readonly lost: number;
  /** Begun, and the client went away before the response was complete. Not counted as lost. */
  readonly aborted: number;
  /** HTTP/2 streams refused with REFUSED_STREAM during a drain (retryable by definition). */
  readonly refused: number;
  /** Finished responses by status class: index 1 is 1xx … 5 is 5xx; index 0 unused. */
  readonly byClass: readonly number[];
  /** Connections accepted, WebSocket (and other) upgrades. */
  readonly connections: number;
  readonly upgrades: number;
  /** Log-linear latency histogram of finished responses, see `runtime/histogram.ts`; sparse: [bucket, count, …]. */
  readonly latency: readonly number[];
}

export interface RuntimeMeasures {
  readonly uptimeMs: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** User and system CPU time since start, microseconds. */
  readonly cpuUserUs: number;
  readonly cpuSystemUs: number;
  /** Share of time the event loop was busy since the last report, 0–1. */
  readonly eventLoopUtilization: number;
  /** Event-loop delay since the last report, milliseconds. */
  readonly delayMs: { readonly mean: number; readonly p99: number; readonly max: number };
  /** Garbage collections since start: count and total pause in milliseconds. */
  readonly gc: { readonly count: number; readonly pauseMs: number };
  readonly openConnections: number;
  readonly inFlight: number;
}

/** Output that found no room in its file, since the worker started: it was dropped so that the app could go on. */
export interface LogDrops {
  /** Line ends among the bytes: a line of which only the beginning was written counts as dropped. */
  readonly lines: number;
  readonly bytes: number;
  /** The file takes nothing now, or has been taking output again for a few seconds only. */
  readonly isDropping: boolean;
  /** What the system said last: `ENOSPC`, `EDQUOT`, `EIO` or `EROFS`. */
  readonly code: string;
}

/** A check that the app has registered (`drover/app`). */
export interface AppCheck {
  readonly name: string;
  /** `unknown`: it has not ended yet since it was registered. */
  readonly status: 'pass' | 'fail' | 'unknown';
  readonly critical: boolean;
  readonly durationMs: number;
  /** Since it ended last. */
  readonly ageMs: number;
  /** How often it is run; left out where the app's library does not tell. */
  readonly intervalMs?: number;
  readonly error?: string;
}

/** Where in the source: `line` and `column` from 1. */
export interface CodePlace {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One time that the event loop was blocked. */
export interface LoopBlock {
  /** Counts the blocks of this process. */
  readonly number: number;
  readonly durationMs: number;
  /** How long ago it ended; 0 while it lasts (told by the watchdog's thread). */
  readonly endedMsAgo: number;
  readonly isOver: boolean;
  /** The application's innermost function that most samples were in; null where nothing sampled. */
  readonly place: CodePlace | null;
  /** What it was in there, such as `RegExp: ^(a+)+$`, `spawnSync`; null where that is the place itself. */
  readonly within: string | null;
  /** Share of the samples of the block, 0–1. */
  readonly share: number | null;
  /** From the outermost function to the innermost, at most 32. */
  readonly stack: readonly CodePlace[];
}

/** Requests of one route since the process started; `other` where there were too many routes. */
export interface RouteCounters {
  readonly method: string;
  /** As the framework has it (`/users/:id`), or guessed from the path with ids replaced. */
  readonly route: string;
  readonly byClass: readonly number[];
  readonly latency: readonly number[];
}

/** What the metrics of prom-client and OpenTelemetry tell beyond {@link RuntimeMeasures}; sent when metrics are collected. */
export interface RuntimeDetail {
  readonly startedAtSeconds: number;
  readonly virtualBytes: number | null;
  readonly openDescriptors: number | null;
  readonly maxDescriptors: number | null;
  readonly heapSpaces: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly usedBytes: number;
    readonly availableBytes: number;
    readonly physicalBytes: number;
  }[];
  readonly heapLimitBytes: number;
  /** Of the event loop since the last collection, seconds. */
  readonly lag: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly stddev: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
  } | null;
  readonly loopActiveSeconds: number;
  readonly loopIdleSeconds: number;
  /** By type, as `process.getActiveResourcesInfo()` has them. */
  readonly resources: Readonly<Record<string, number>>;
  /** By kind; `buckets` are counts of pauses up to 1, 10, 100 ms, 1 s, 10 s and above, since start. */
  readonly gc: Readonly<
    Record<
      'major' | 'minor' | 'incremental' | 'weakcb',
      { readonly count: number; readonly seconds: number; readonly buckets: readonly number[] }
    >
  >;
  /** Processor time that the agent itself has taken, as far as it can measure that. */
  readonly agentCpuUs: number;
  /** What the agent has given up because it took too much: `profile`, `routes`, `app-metrics`; left out while nothing. */
  readonly agentGaveUp?: readonly string[];
}

/** One metric of the app's own, as prom-client's `getMetricsAsJSON` has it. */
export interface AppMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** How workers are added up: `sum`, `first`, `min`, `max`, `average` or `omit`. */
  readonly aggregator: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** Of histograms and summaries: with `_bucket`, `_sum` or `_count`. */
    readonly metricName?: string;
  }[];
}

/** What the daemon wants of the agent; told in `settings`, again whenever it changes. */
export interface AgentSettings {
  readonly profile: boolean;
  readonly watchdog: boolean;
  readonly blockedAfterMs: number;
  readonly routes: number;
  readonly appMetrics: boolean;
  readonly trace: { readonly enabled: boolean; readonly logs: boolean };
}

export interface AgentReport {
  readonly seq: number;
  readonly counters: RequestCounters;
  readonly runtime: RuntimeMeasures;
  /** Left out while nothing was dropped, and by agents that do not know of it; daemons that do not, ignore it. */
  readonly log?: LogDrops;
  /** Left out where the app registered none. */
  readonly checks?: readonly AppCheck[];
  /** The last block of the event loop; left out where there was none. */
  readonly block?: LoopBlock;
  /** Whether the app has a recover hook. */
  readonly canRecover?: boolean;
  /** The app has announced that it will say when it is ready: it is not before; left out where it has not. */
  readonly expectsReady?: boolean;
  /** Heap in use after the last full collection; left out before the first. */
  readonly heapAfterGcBytes?: number;
}

export interface ServerState {
  readonly id: number;
  readonly key: string | null;
  readonly address: ListenAddress | null;
  /** True while the public socket is accepted from. */
  readonly accepting: boolean;
  /** Slots of siblings whose shards it accepts from as well; left out where there are none. */
  readonly covers?: readonly number[];
  /** How long it has listened, for a daemon that was not there when it began; older agents leave it out. */
  readonly listeningMs?: number;
  readonly protocol: 'http' | 'https' | 'http2' | 'tls' | 'tcp';
}

export interface DrainSummary {
  /** Cut at the deadline: requests in flight, upgraded sockets, other sockets. */
  readonly cutRequests: number;
  readonly cutUpgrades: number;
  readonly cutConnections: number;
  readonly closedUpgrades: number;
}

export type DegradeLevel = 'normal' | 'shed' | 'cache-only' | 'read-only';

export type AgentMessage =
  /** First message on every connection, and the answer to `welcome` of a new daemon. */
  | {
      readonly type: 'hello';
      /** The version of these words that the agent speaks. */
      readonly v: number;
      readonly spawn: string;
      readonly pid: number;
      readonly node: string;
      readonly phase: 'booting' | 'serving' | 'draining';
      readonly signalledReady: boolean;
      /** How long ago; left out where it has not, and by older agents. */
      readonly signalledReadyMs?: number;
      readonly servers: readonly ServerState[];
      readonly report: AgentReport;
    }
  /** A server wants to listen. Answered by `grant`, `refuse` or `bind` with the same id. */
  | {
      readonly type: 'listen';
      readonly id: number;
      readonly request: ListenRequest;
      readonly protocol: ServerState['protocol'];
    }
  /** The app saw `listening`. */
  | {
      readonly type: 'listening';
      readonly id: number;
      readonly key: string | null;
      readonly protocol?: ServerState['protocol'];
    }
  /** After `bind`: the process bound by itself; the daemon may duplicate descriptor `fd`. */
  | {
      readonly type: 'bound';
      readonly id: number;
      readonly fd: number;
      readonly inode: number;
      readonly address: ListenAddress;
    }
  /** The app closed the server (its shard stays with the daemon). */
  | { readonly type: 'closed'; readonly id: number }
  /** `process.send('ready')` or `drover.ready()`; `expected` says that the app announced it will call `drover.ready()`. */
  | { readonly type: 'ready' }
  | { readonly type: 'report'; readonly report: AgentReport; readonly replyTo: number | null }
  /** All servers stopped accepting; the drain clock starts now. */
  | { readonly type: 'draining'; readonly report: AgentReport }
  /** Nothing is in flight any more (or the deadline came); the process goes on to the app's own SIGTERM handlers. */
  | { readonly type: 'drained'; readonly summary: DrainSummary; readonly report: AgentReport }
  /** `process.send(anything else)`. */
  | { readonly type: 'message'; readonly payload: unknown }
  /** Answer to `ping`, from the event loop itself: while it is blocked there is none. Since version 2. */
  | { readonly type: 'pong'; readonly id: number }
  /** Said by the watchdog's thread while the event loop is blocked. Since version 2. */
  | { readonly type: 'blocked'; readonly block: LoopBlock }
  /** Answer to `collect`. Since version 2. */
  | {
      readonly type: 'metrics';
      readonly id: number;
      readonly detail: RuntimeDetail;
      readonly routes: readonly RouteCounters[];
      readonly app: readonly AppMetric[];
      /** Metrics and label values that were left out because there were too many. */
      readonly dropped: number;
      /** What of the app's own could not be had, and why: at most 16 lines. */
      readonly trouble?: readonly string[];
    }
  /** Answer to `ask-routes`: counters since start; null where it counts none. Since version 2. */
  | { readonly type: 'routes'; readonly id: number; readonly routes: readonly RouteCounters[] | null }
  /** Answer to `recover`. Since version 2. */
  | {
      readonly type: 'recovered';
      readonly id: number;
      readonly outcome: 'recovered' | 'failed' | 'no-hook';
      readonly detail: string | null;
    }
  /** Last word, written synchronously on `exit`. */
  | { readonly type: 'exit'; readonly code: number; readonly reason: string | null; readonly report: AgentReport };

export type DaemonMessage =
  /** First message of a daemon on a channel that it opened or regained. */
  | {
      readonly type: 'welcome';
      /** The version of these words that the daemon speaks; agents of the first one do not look at it. */
      readonly v: number;
      readonly daemon: string;
      readonly reportEveryMs: number;
    }
  /** Answer to `listen`. Two descriptors follow as `descriptor` messages (`shard`, then `private` if `hasPrivate`). */
  | {
      readonly type: 'grant';
      readonly id: number;
      readonly key: string;
      readonly address: ListenAddress;
      readonly hasPrivate: boolean;
    }
  /** Carries one descriptor (SCM_RIGHTS). `cover`: accept from a sibling's shard as well, until `uncover`. */
  | {
      readonly type: 'descriptor';
      readonly role: 'shard' | 'private' | 'cover';
      readonly key: string;
      readonly slot: number;
    }
  | { readonly type: 'uncover'; readonly key: string; readonly slot: number }
  /** Answer to `listen`: emit the error that the kernel would have given. */
  | {
      readonly type: 'refuse';
      readonly id: number;
      readonly code: 'EADDRINUSE' | 'EACCES' | 'EADDRNOTAVAIL' | 'EINVAL' | 'EMFILE';
      readonly errno: number;
    }
  /** Answer to `listen`: bind by yourself (with `reusePort` where Node can) and answer `bound`. */
  | { readonly type: 'bind'; readonly id: number; readonly reusePort: boolean }
  /** Begin, or stop, accepting on the public sockets. */
  | { readonly type: 'accept' }
  | { readonly type: 'hold' }
  | {
      readonly type: 'drain';
      readonly timeoutMs: number;
      readonly idleGraceMs: number;
      readonly websocketCode: number;
      readonly websocketSpreadMs: number;
      /** Keep the process (off rotation) instead of running SIGTERM handlers and exiting. */
      readonly thenExit: boolean;
    }
  /** Answer this share (0–1) of responses with `Connection: close` until told otherwise: moves kept-alive clients. */
  | { readonly type: 'renew'; readonly share: number }
  | { readonly type: 'report-now'; readonly id: number }
  | { readonly type: 'ack'; readonly seq: number }
  /** Only to agents of version 2 and later, as all that follow but `message`. */
  | { readonly type: 'settings'; readonly settings: AgentSettings }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'collect'; readonly id: number }
  | { readonly type: 'ask-routes'; readonly id: number }
  /** How far the app is to degrade itself: 0 is not at all. */
  | { readonly type: 'degrade'; readonly level: DegradeLevel; readonly reason: string | null }
  /** Run the app's recover hook. */
  | { readonly type: 'recover'; readonly id: number; readonly reason: string }
  /** Delivered to the app as `process.on('message')`. */
  | { readonly type: 'message'; readonly payload: unknown };
