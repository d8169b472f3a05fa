/**
 * What happens in every round of a soak, in this order: all that makes the daemon take something up and let it go
 * again. Each activity waits for its own end, so that a round ends in the state in which it began.
 */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Drover, CommandFailed } from '../support/drover.ts';
import { killAndListClients } from '../support/processes.ts';
import { ask } from '../support/service.ts';
import { BUSY, type Ports, STEADY, WORKERS, writePassing } from './apps.ts';
import type { Kill } from './traffic.ts';

export interface Place {
  readonly drover: Drover;
  readonly ports: Ports;
  readonly round: number;
  readonly kills: Kill[];
  /** MB that each worker prints in a flood. */
  readonly floodMegabytes: number;
}

type Activity = (place: Place) => Promise<void>;

export const ACTIVITIES: Readonly<Record<string, Activity>> = {
  reload: async ({ drover }) => command(drover, ['reload', BUSY]),
  'kill a worker': async ({ drover, round, kills }) => {
    const pids = await drover.pids(BUSY);
    const victim = pids[round % pids.length];
    if (victim === undefined) throw new Error(`${BUSY} has no worker`);
    kills.push({ at: Date.now(), clients: killAndListClients(victim) });
    await drover.untilReady(BUSY, WORKERS.busy);
  },
  'flood of log lines': async ({ ports, floodMegabytes }) => {
    // As many requests as it takes on average for each worker to get some.
    const ask = async (port: number): Promise<unknown> => askFlood(port, floodMegabytes / 2);
    await Promise.all([ports.steady, ports.steady, ports.steady, ports.steady, ports.busy, ports.busy].map(ask));
  },
  'scale up and down': async ({ drover }) => {
    await command(drover, ['scale', BUSY, String(WORKERS.busy + 1)]);
    await command(drover, ['scale', BUSY, String(WORKERS.busy)]);
  },
  'an app comes and goes': async ({ drover, round }) => {
    const name = `passing-${round}`;
    await command(drover, ['start', await writePassing(drover, name)]);
    await command(drover, ['delete', name]);
  },
  questions: async ({ drover }) => {
    await Promise.all([
      command(drover, ['ls', '--json']),
      command(drover, ['show', BUSY, '--json']),
      command(drover, ['events', '--json']),
      command(drover, ['why', BUSY]),
      command(drover, ['logs', STEADY, '--lines', '200']),
    ]);
  },
  'followers that are cut off': async ({ drover }) => {
    const followers = [drover.spawn(['logs', STEADY, '-f', '--json']), drover.spawn(['events', '-f', '--json'])];
    await command(drover, ['ls']);
    await Promise.all(
      followers.map(async (follower) => {
        const ended = once(follower, 'exit');
        follower.kill('SIGKILL');
        await ended;
      }),
    );
  },
  'clients that break off': async ({ drover }) => {
    const socketPath = join(drover.home, 'drover.sock');
    // One that says nothing, one in the middle of a request, and one that does not read its answer.
    const silent = connect(socketPath);
    await once(silent, 'connect');
    silent.destroy();
    const half = connect(socketPath);
    half.write('POST /v1/apps/busy/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await once(half, 'connect');
    half.destroy();
    const unread = request({ socketPath, path: '/v1/events?follow=true' });
    unread.on('error', () => {}).end();
    const [response] = (await once(unread, 'response')) as [NodeJS.ReadableStream & { destroy: () => void }];
    response.destroy();
  },
};

async function command(drover: Drover, args: readonly string[]): Promise<void> {
  const result = await drover.run(args);
  if (result.code !== 0) throw new CommandFailed(args, result);
}

async function askFlood(port: number, megabytes: number): Promise<void> {
  const { status } = await ask(port, `/flood?mb=${megabytes}`);
  if (status !== 200) throw new Error(`a flood was answered with ${status}`);
}
