/**
 * The documents of the API as schemas, for `/v1/openapi.json` only; answers are not validated at run time. Each is tied
 * to its type in `protocol/`, so that the two cannot part.
 */
import * as v from 'valibot';
import type * as protocol from '../protocol/index.ts';
import { EVENT_TYPES } from '../protocol/index.ts';
import type { DocumentName } from './route.ts';

/** Fails to compile unless every document of the type fits the schema. */
const describing =
  <Document>() =>
  <Schema extends v.GenericSchema<Document, unknown>>(schema: Schema): Schema =>
    schema;

const text = v.string();
const maybe = <Schema extends v.GenericSchema>(schema: Schema) => v.nullable(schema);
const time = v.pipe(v.string(), v.isoTimestamp());
const number = v.number();
const unknown = v.unknown();
const list = <Schema extends v.GenericSchema>(schema: Schema) => v.pipe(v.array(schema), v.readonly());

const scalar = v.union([v.string(), v.number(), v.boolean(), v.null(), v.undefined()]);
const lane = v.picklist(['stable', 'candidate']);
const dispatch = v.picklist(['exact', 'classic', 'shared']);

const severity = v.picklist(['page', 'ticket', 'notice']);

const Alert = describing<protocol.AlertDocument>()(
  v.object({
    id: text,
    fingerprint: text,
    name: text,
    app: maybe(text),
    worker: v.exactOptional(text),
    severity,
    status: v.picklist(['pending', 'firing', 'resolved']),
    labels: v.record(text, text),
    summary: text,
    description: text,
    evidence: list(
      v.object({
        name: text,
        value: maybe(number),
        threshold: maybe(number),
        unit: v.picklist(['times', 'share', 'ms', 'bytes', 'per-second', 'count', 'z']),
      }),
    ),
    startedAt: time,
    endsAt: maybe(time),
    mutedBy: list(text),
  }),
);

const Silence = describing<protocol.SilenceDocument>()(
  v.object({
    id: text,
    matchers: list(v.object({ label: text, kind: v.picklist(['is', 'is-not', 'glob']), value: text })),
    startsAt: time,
    endsAt: time,
    everyMs: maybe(number),
    comment: text,
    createdBy: maybe(text),
  }),
);

const Worker = describing<protocol.WorkerDocument>()(
  v.object({
    id: text,
    slot: number,
    pid: maybe(number),
    status: v.picklist(['starting', 'ready', 'draining', 'stopping', 'exited', 'backoff']),
    ready: v.boolean(),
    lane,
    weight: number,
    release: number,
    startedAt: maybe(time),
    restarts: number,
    cpuPercent: maybe(number),
    rssBytes: maybe(number),
    heapUsedBytes: maybe(number),
    eventLoopUtilization: maybe(number),
    connections: maybe(number),
    inFlight: maybe(number),
    acceptQueue: maybe(number),
    requestsPerSecond: maybe(number),
    latencyMs: v.object({ p50: maybe(number), p99: maybe(number) }),
    errorShare: maybe(number),
    reason: maybe(text),
    node: maybe(text),
    logDropped: maybe(v.object({ lines: number, bytes: number, dropping: v.boolean(), code: text })),
  }),
);

const appEntries = {
  name: text,
  status: v.picklist(['starting', 'online', 'degraded', 'crash-loop', 'stopping', 'stopped', 'failed']),
  reason: maybe(text),
  release: number,
  instances: number,
  ports: list(
    v.object({
      host: maybe(text),
      port: maybe(number),
      protocol: v.picklist(['http', 'https', 'http2', 'tls', 'tcp', 'unix']),
      declared: v.boolean(),
    }),
  ),
  workers: list(Worker),
};

const latency = v.object({ p50: maybe(number), p99: maybe(number) });

const Receipt = describing<protocol.ReceiptDocument>()(
  v.object({
    operation: text,
    app: text,
    from: maybe(number),
    to: maybe(number),
    outcome: v.picklist(['completed', 'rolled-back', 'aborted', 'failed']),
    reason: maybe(text),
    durationMs: number,
    requests: v.object({
      served: number,
      failed: number,
      lost: number,
      unknown: number,
      refused: number,
      upgradesClosed: number,
      upgradesCut: number,
    }),
    latencyMs: v.object({ before: latency, during: latency, after: latency }),
    steps: list(v.object({ at: time, name: text, worker: v.exactOptional(text), outcome: text, detail: maybe(text) })),
    log: v.exactOptional(list(text)),
  }),
);

const Operation = describing<protocol.OperationDocument>()(
  v.object({
    id: text,
    kind: v.picklist(['start', 'apply', 'reload', 'restart', 'stop', 'delete', 'scale']),
    app: text,
    status: v.picklist(['running', 'done']),
    startedAt: time,
    endedAt: maybe(time),
    phase: text,
    receipt: maybe(Receipt),
  }),
);

const health = v.picklist(['healthy', 'degraded', 'critical']);

export const DOCUMENT_SCHEMAS = {
  AppList: describing<protocol.AppListDocument>()(v.object({ apps: list(v.object(appEntries)) })),
  AppDetail: describing<protocol.AppDetailDocument>()(
    v.object({
      ...appEntries,
      file: maybe(text),
      config: unknown,
      command: list(text),
      cwd: text,
      logs: v.object({ directory: text }),
      dispatch,
      lastOperation: maybe(Operation),
      lastCrash: maybe(v.object({ at: time, worker: text, reason: maybe(text), lastLines: list(text) })),
    }),
  ),
  Env: describing<protocol.EnvDocument>()(v.object({ app: text, env: v.record(text, text) })),
  Why: describing<protocol.WhyDocument>()(
    v.object({
      app: text,
      chain: list(
        v.object({
          at: time,
          event: text,
          because: text,
          correlation: v.exactOptional(text),
          lastLines: v.exactOptional(list(text)),
        }),
      ),
      summary: text,
    }),
  ),
  Health: describing<protocol.HealthDocument>()(
    v.object({
      status: health,
      apps: list(
        v.object({
          name: text,
          status: health,
          reason: maybe(text),
          level: v.picklist(['normal', 'shed', 'cache-only', 'read-only']),
          workers: list(
            v.object({
              id: text,
              status: health,
              reason: maybe(text),
              checks: list(
                v.object({
                  name: text,
                  status: v.picklist(['pass', 'fail', 'unknown']),
                  critical: v.boolean(),
                  durationMs: number,
                  error: v.exactOptional(text),
                  warning: v.exactOptional(text),
                }),
              ),
              eventLoop: v.object({
                delayMs: maybe(number),
                utilization: maybe(number),
                blockedMs: maybe(number),
                blockedAt: v.exactOptional(text),
                isBlocked: v.boolean(),
              }),
              isRunning: v.boolean(),
              isLooping: v.boolean(),
              ejectedUntil: maybe(time),
              weight: number,
            }),
          ),
        }),
      ),
    }),
  ),
  Slo: describing<protocol.SloDocument>()(
    v.object({
      apps: list(
        v.object({
          name: text,
          objectives: list(
            v.object({
              name: text,
              indicator: v.picklist(['availability', 'latency', 'ratio']),
              objective: number,
              windowMs: number,
              events: number,
              bad: number,
              attained: maybe(number),
              budget: v.object({
                consumed: number,
                remaining: number,
                burn: maybe(number),
                exhaustedInMs: maybe(number),
                observedShare: number,
              }),
              alerts: list(
                v.object({
                  severity,
                  burn: number,
                  longMs: number,
                  shortMs: number,
                  longBurn: maybe(number),
                  shortBurn: maybe(number),
                  verdict: v.picklist(['burning', 'calm', 'unknown']),
                }),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
  Alerts: describing<protocol.AlertsDocument>()(
    v.object({
      alerts: list(Alert),
      receivers: list(
        v.object({
          id: text,
          kind: v.picklist(['webhook', 'alertmanager', 'command']),
          address: text,
          waiting: number,
          lastTakenAt: maybe(time),
          lastProblem: maybe(text),
        }),
      ),
      silences: list(Silence),
      undelivered: list(
        v.object({
          id: text,
          receiver: text,
          app: maybe(text),
          names: list(text),
          status: v.picklist(['firing', 'resolved']),
          createdAt: time,
          givenUpAt: time,
          attempts: number,
          error: maybe(text),
        }),
      ),
    }),
  ),
  Silence,
  AlertTests: describing<protocol.AlertTestsDocument>()(
    v.object({
      receivers: list(
        v.object({ receiver: text, address: text, isTaken: v.boolean(), said: text, durationMs: number }),
      ),
    }),
  ),
  Daemon: describing<protocol.DaemonDocument>()(
    v.object({
      running: v.boolean(),
      pid: maybe(number),
      version: maybe(text),
      startedAt: maybe(time),
      home: text,
      rssBytes: maybe(number),
      apps: maybe(number),
      workers: maybe(number),
      dispatch: maybe(dispatch),
      guardPid: maybe(number),
      unit: maybe(text),
      state: maybe(
        v.object({
          status: v.picklist(['written', 'unwritable']),
          since: maybe(time),
          reason: maybe(text),
          keptRecords: number,
          droppedEvents: number,
          lastBackupAt: maybe(time),
          backupFailure: maybe(text),
          fallBack: maybe(v.object({ at: time, reason: text, backupAt: time, setAside: maybe(text) })),
        }),
      ),
      program: maybe(v.object({ directory: text, isCopy: v.boolean(), reason: maybe(text), node: text })),
      upgrade: maybe(
        v.object({
          id: text,
          from: text,
          to: text,
          outcome: v.picklist(['completed', 'rolled-back']),
          reason: maybe(text),
          at: time,
          durationMs: number,
          program: text,
        }),
      ),
    }),
  ),
  UpgradeStart: describing<protocol.UpgradeStartDocument>()(
    v.object({ upgrade: maybe(v.object({ id: text, from: text, to: text })) }),
  ),
  Plan: describing<protocol.PlanDocument>()(
    v.object({
      changes: list(
        v.object({
          app: text,
          action: v.picklist(['start', 'reload', 'restart', 'stop', 'none']),
          keys: list(text),
          replaces: v.boolean(),
        }),
      ),
    }),
  ),
  OperationList: describing<protocol.OperationListDocument>()(v.object({ operations: list(Operation) })),
  Operation,
  Signal: describing<protocol.SignalDocument>()(
    v.object({ signal: text, workers: list(v.object({ worker: text, pid: number })) }),
  ),
  Flush: describing<protocol.FlushDocument>()(v.object({ apps: list(text), freedBytes: number })),
  LogLine: describing<protocol.LogLineDocument>()(
    v.object({ at: time, app: text, worker: text, stream: v.picklist(['stdout', 'stderr']), line: text }),
  ),
  Event: describing<protocol.EventDocument>()(
    v.object({
      seq: number,
      at: time,
      app: maybe(text),
      worker: v.exactOptional(text),
      type: v.picklist(EVENT_TYPES),
      reason: maybe(text),
      data: v.record(text, unknown),
    }),
  ),
  Done: v.object({ done: v.boolean() }),
} satisfies Record<DocumentName, v.GenericSchema>;

export const ErrorSchema = describing<protocol.ErrorDocument>()(
  v.object({
    error: v.object({ code: text, message: text, hint: maybe(text), docs: text, data: v.record(text, scalar) }),
  }),
);
