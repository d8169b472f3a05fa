/** One attempt to tell one receiver one message, in the way of its kind. */
import type { AlertMessage } from '../protocol/index.ts';
import { statusOf, toPayload, toPostableAlerts } from './message.ts';
import type { Outcome } from './outcome.ts';
import { post } from './post.ts';
import type { NamedReceiver } from './receiver-id.ts';
import { inheritedOf, runCommand } from './run-command.ts';

export interface Attempt {
  readonly receiver: NamedReceiver;
  /** The same in every attempt. */
  readonly id: string;
  readonly message: AlertMessage;
  /** Wall clock. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export interface SendSettings {
  /** Of one attempt. */
  readonly timeoutMs: number;
  readonly version: string;
  /** Of the daemon. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A receiver that takes longer would rather have taken it and not told us. */
export const DEFAULT_TIMEOUT_MS = 10_000;

export type Send = (attempt: Attempt) => Promise<Outcome>;

/** Rejects only where the signal was aborted. */
export const sender =
  ({ timeoutMs, version, env }: SendSettings): Send =>
  async ({ receiver, id, message, nowMs, signal }) => {
    const { target, headers } = receiver.config;
    const common = { headers, idempotencyKey: id, userAgent: `drover/${version}`, timeoutMs, signal, nowMs };
    if (target.kind === 'webhook') return post({ ...common, url: target.url, body: toPayload(message, receiver.id) });
    if (target.kind === 'alertmanager')
      return post({ ...common, url: `${target.url}/api/v2/alerts`, body: toPostableAlerts(message, nowMs) });
    return runCommand({
      argv: target.argv,
      input: toPayload(message, receiver.id),
      env: { ...inheritedOf(env), ...variablesOf(id, message) },
      timeoutMs,
      signal,
    });
  };

/** Of a message with several alerts: what they have in common, and the name and severity of the first, which fires if any does. */
const variablesOf = (id: string, message: AlertMessage): Record<string, string> => {
  const labels = message.alerts[0]?.labels ?? {};
  return {
    DROVER_ALERT_ID: id,
    DROVER_ALERT_STATUS: statusOf(message),
    DROVER_ALERT_KIND: message.kind,
    DROVER_ALERT_NAME: labels['alertname'] ?? '',
    DROVER_ALERT_SEVERITY: labels['severity'] ?? '',
    DROVER_ALERT_APP: labels['app'] ?? '',
    DROVER_ALERT_WORKER: labels['worker'] ?? '',
    DROVER_ALERT_COUNT: String(message.alerts.length + message.truncated),
    DROVER_ALERT_SUMMARY: message.alerts[0]?.annotations['summary'] ?? '',
  };
};
