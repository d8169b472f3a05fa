/**
 * Where the agent and the library that apps import (`drover/app`) meet inside a worker: a property of `globalThis` under a
 * registered symbol. The agent puts a {@link Meeting} there before any code of the app runs; the library finds it, or
 * finds nothing and works alone. Both may be of different versions, and the library may be loaded more than once:
 * fields are only ever added, as optional ones.
 */
import type { AppCheck, AppMetric, DegradeLevel } from './agent.ts';

/** Under `Symbol.for`. */
export const MEETING_NAME = 'drover.meeting.1';

/** What the library gives the agent: called whenever the agent needs an answer, never kept. */
export interface AppSide {
  /** Registered checks as they stand, without running any. */
  readonly checks?: () => readonly AppCheck[];
  /** Metrics of the library's own registry. */
  readonly metrics?: () => Promise<readonly AppMetric[]>;
  /** A worker that drains calls this and waits for it, at most until its drain timeout. */
  readonly onDrain?: () => Promise<void>;
  /** Runs the app's recover hooks; false where there is none. */
  readonly recover?: (reason: string) => Promise<boolean>;
  readonly hasRecoverHook?: () => boolean;
  readonly onDegrade?: (level: DegradeLevel, reason: string | null) => void;
}

/** What the agent gives the library. */
export interface AgentSide {
  readonly app: string;
  readonly worker: string;
  /** `drover.ready()`. */
  ready(): void;
  /** The app will call {@link ready}: it is not ready before. Said when the library is asked for it at load time. */
  expectReady(): void;
  /** What {@link AppSide.checks} answers is news that the daemon should hear of before its time. */
  hurry?(): void;
  /** What the daemon said last. */
  degradeLevel(): DegradeLevel;
  /** Trace of the request that this code runs for; null outside one, or where tracing is off. */
  trace(): TraceContext | null;
}

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: of this request in this process. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

export interface Meeting {
  readonly agent: AgentSide;
  /** Libraries join; the returned function leaves. */
  join(side: AppSide): () => void;
}
