/** Alerts on a real state, told to real receivers, in real time that is a little shorter. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { openAlerts, type Alerts, type AlertsOptions } from '../../src/alerts/index.ts';
import { ALERT_POLICY, type Judgement } from '../../src/core/index.ts';
import type { EventInput, ReceiverConfig, Severity } from '../../src/protocol/index.ts';
import type { Store } from '../../src/store/index.ts';
import { systemSchedule } from '../../src/supervisor/schedule.ts';
import { openState, systemClock } from '../support/state.ts';

/** As alerts are by default, but for the waits. */
export const QUICK: AlertsOptions = {
  retry: { firstMs: 40, mostMs: 400, attempts: 4 },
  timeoutMs: 400,
  groupIntervalMs: 100,
};

export interface OpenAlerts extends Disposable {
  readonly alerts: Alerts;
  readonly store: Store;
  readonly events: readonly EventInput[];
  /** Whom to tell from now on. */
  configure(receivers: readonly ReceiverConfig[]): void;
}

/** As the daemon does: the state of `folder`, and alerts on it. */
export function openTestAlerts(
  folder: string,
  receivers: readonly ReceiverConfig[],
  options: AlertsOptions = QUICK,
): OpenAlerts {
  const store = openState(folder);
  const events: EventInput[] = [];
  let configured = receivers;
  const alerts = openAlerts(
    {
      store,
      clock: systemClock,
      schedule: systemSchedule,
      random: Math.random,
      newId: () => crypto.randomUUID(),
      receivers: () => configured,
      onEvent: (event) => void events.push(event),
      env: process.env,
      version: '9.9.9',
    },
    options,
  );
  return {
    alerts,
    store,
    events,
    configure(next) {
      configured = next;
      alerts.reconfigure();
    },
    [Symbol.dispose]() {
      alerts.close();
      store.close();
    },
  };
}

export const receiverOf = (target: ReceiverConfig['target'], fields: Partial<ReceiverConfig> = {}): ReceiverConfig => ({
  target,
  headers: {},
  severities: ['page', 'ticket'],
  apps: null,
  groupWaitMs: 0,
  repeatMs: 3_600_000,
  ...fields,
});

export const webhook = (url: string, fields: Partial<ReceiverConfig> = {}): ReceiverConfig =>
  receiverOf({ kind: 'webhook', url }, fields);

interface Judged {
  readonly app?: string | null;
  readonly severity?: Severity;
  readonly labels?: Readonly<Record<string, string>>;
  readonly summary?: string;
  readonly description?: string;
}

const judged =
  (verdict: Judgement['verdict']) =>
  (
    name: string,
    { app = 'shop', severity = 'page', labels = {}, summary = `${name} is bad`, description = 'Words.' }: Judged = {},
  ): Judgement => ({
    subject: { name, severity, app, labels },
    policy: ALERT_POLICY,
    verdict,
    detail: { summary, description, evidence: [] },
  });
export const bad = judged('bad');
export const good = judged('good');

export interface Received {
  readonly key: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly text: string;
  readonly body: WebhookBody;
  readonly atMs: number;
  readonly wallMs: number;
}

export interface WebhookBody {
  readonly status: string;
  readonly receiver: string;
  readonly groupKey: string;
  readonly truncatedAlerts: number;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly fingerprint: string;
    readonly startsAt: string;
    readonly endsAt: string;
  }[];
}

type Labelled = { readonly labels: Readonly<Record<string, string>> };
export const namesOf = (alerts: readonly Labelled[]): readonly string[] =>
  alerts.map(({ labels }) => labels['alertname'] ?? '').sort();

export interface HttpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** How requests are answered from now on, the first of them being number 1. */
  answer: Answer;
}

export type Answer = (response: ServerResponse, nth: number, request: IncomingMessage) => void;

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, text = ''): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(text);
export const stall: Answer = () => {};
export const hangUp: Answer = (response) => void response.socket?.destroy();
/** The first `count` requests in the one way, the others in the other. */
export const firstly =
  (count: number, first: Answer, then: Answer = status(200)): Answer =>
  (response, nth, request) =>
    (nth <= count ? first : then)(response, nth, request);

export async function openHttpReceiver(answer: Answer = status(200), port = 0): Promise<HttpReceiver> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      received.push({
        key: String(request.headers['idempotency-key']),
        headers: request.headers,
        path: request.url ?? '',
        text,
        body: JSON.parse(text) as WebhookBody,
        atMs: performance.now(),
        wallMs: Date.now(),
      });
      receiver.answer(response, received.length, request);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    received,
    answer,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
