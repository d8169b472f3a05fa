/** What a push needs; apart from `push.ts`, which loads the OpenTelemetry SDK. */
import type { EventDocument } from '../../protocol/index.ts';
import type { AppReading } from '../exposition/reading.ts';

export interface OtlpOptions {
  /** Base address of the collector; `/v1/metrics` and `/v1/logs` are added, as the OTLP specification says. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long one push may take, retries of the exporter included; ten seconds where nothing is said. */
  readonly timeoutMs?: number;
  /** Of this Drover. */
  readonly version: string;
  readonly hostName: string;
  /** `service.version` of an app, such as the version in its package or its release. */
  readonly versionOf?: (app: string) => string | null;
  /** Where a push fails, and, with null, when one succeeds again. */
  readonly onTrouble?: (reason: string | null) => void;
}

export interface OtlpPush {
  /** Sends what the workers have said; while an earlier push is under way nothing. Never throws. */
  push(apps: readonly AppReading[], wallMs: number): Promise<void>;
  /** Queued, and sent in batches; beyond 2,048 that wait the newest are dropped. Never throws. */
  event(event: EventDocument): void;
  readonly condition: {
    /** Why the last push failed; null where it did not. */
    readonly trouble: string | null;
    readonly pushed: number;
    readonly failed: number;
  };
  /** Sends what is queued, for at most the time of one push. */
  close(): Promise<void>;
}

/** Loads the SDK: it costs nothing where nobody has asked for it. */
export const openOtlpPush = async (options: OtlpOptions): Promise<OtlpPush> => {
  const { createOtlpPush } = await import('./push.ts');
  return createOtlpPush(options);
};
