/** Clients that connect and stall, of the apps and of the API; and very many of the API at once. */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Fault, Violation } from '../fault.ts';
import { carryOut } from '../operations.ts';

const STALLING = 30;
const MANY = 500;
const MANY_WITHIN_MS = 30_000;
const STALLED_MS = 800;

const client = (name: string, scope: Fault['scope'], inject: Fault['inject'], more: Partial<Fault> = {}): Fault => ({
  name,
  family: 'clients',
  scope,
  times: 1,
  inject,
  ...more,
});

/** Connections that say `text` and then nothing, while `work` is done. */
async function withStalled(open: () => Socket, texts: readonly string[], work: () => Promise<unknown>): Promise<void> {
  const sockets = Array.from({ length: STALLING }, (_, count) => {
    const socket = open();
    socket.on('error', () => {});
    socket.resume();
    socket.write(texts[count % texts.length] ?? '');
    return socket;
  });
  try {
    await work();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

const HALF_REQUESTS = ['', 'GET / HT', 'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf'];

export const CLIENTS: readonly Fault[] = [
  client('clients of an app connect and stall', 'app', async ({ app }) =>
    withStalled(
      () => connect(app.facts.port, '127.0.0.1'),
      HALF_REQUESTS,
      async () => wait(STALLED_MS),
    ),
  ),
  client(
    'clients of an app stall through a reload',
    'app',
    async ({ world, app }) =>
      withStalled(
        () => connect(app.facts.port, '127.0.0.1'),
        HALF_REQUESTS,
        async () => carryOut(world, app, 'reload'),
      ),
    { provokes: ['worker-killed'] },
  ),
  client('clients of the API connect and stall', 'app', async ({ world, app }) =>
    withStalled(
      () => connect(world.client.socketPath),
      ['', 'GET /v1/apps HT', 'POST /v1/start HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"fi'],
      async () => carryOut(world, app, 'reload'),
    ),
  ),
  client('followers of events that never read', 'app', async ({ world, app }) =>
    withStalled(
      () => connect(world.client.socketPath).pause(),
      ['GET /v1/events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n'],
      async () => carryOut(world, app, 'reload'),
    ),
  ),
  client('500 clients of the API at once', 'daemon', async ({ world }) => {
    const startedAt = performance.now();
    const answers = await Promise.allSettled(
      Array.from({ length: MANY }, async (_, count) =>
        count % 2 === 0 ? world.client.list() : world.client.daemonStatus(),
      ),
    );
    const refused = answers.filter(({ status }) => status === 'rejected');
    if (refused.length > 0)
      throw new Violation(
        `${refused.length} of ${MANY} were not answered: ${String((refused[0] as PromiseRejectedResult).reason)}`,
      );
    if (performance.now() - startedAt > MANY_WITHIN_MS) throw new Violation(`it took more than ${MANY_WITHIN_MS} ms`);
  }),
];
