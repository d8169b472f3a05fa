/**
 * What probes cost the daemon: memory and processor time of a process that has loaded what a daemon has, with and without
 * them, by kind, and by the client that Node has built in (undici's `fetch`) beside the one that is used.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, fixed } from '../../bench/campaign.ts';
import { DAEMON_ENVIRONMENT } from '../../src/program/index.ts';
import { DAEMON_OPTIONS } from '../../src/program/options.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOM = join(import.meta.dirname, 'probe-cost', 'room.ts');
const PEM = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'localhost.pem'));
const KINDS = ['none', 'tcp', 'http', 'https', 'exec', 'fetch'] as const;
type Kind = (typeof KINDS)[number];

const MIB = 1024 ** 2;
const MOST_HTTP_MB = 3;

interface Cost {
  readonly attempts: number;
  readonly failures: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export const probeCost: Campaign = {
  name: 'probe-cost',
  shows: `fifty workers with http probes cost the daemon at most ${MOST_HTTP_MB} MB, and less than with fetch`,
  run: async (run) => {
    await using folder = await temporaryFolder();
    const plain = createServer((_request, response) => void response.end('well'));
    const tls = createTlsServer({ key: PEM, cert: PEM }, (_request, response) => void response.end('well'));
    const byPort = createServer((_request, response) => void response.end('well'));
    plain.listen(join(folder.path, 'plain'));
    tls.listen(join(folder.path, 'tls'));
    byPort.listen(0, '127.0.0.1');
    await Promise.all([plain, tls, byPort].map((server) => once(server, 'listening')));
    const where = (kind: Kind): string => {
      if (kind === 'fetch') return String((byPort.address() as AddressInfo).port);
      return join(folder.path, kind === 'https' ? 'tls' : 'plain');
    };
    const rounds = run.isSmall ? 1 : 5;
    const costs = new Map<Kind, Cost[]>();
    for (let round = 0; round < rounds; round++) {
      for (const kind of KINDS) {
        const cost = await run.row(`${kind} ${round}`, async () => measure(kind, where(kind), run.isSmall ? 3 : 6));
        costs.set(kind, [...(costs.get(kind) ?? []), cost]);
      }
    }
    for (const server of [plain, tls, byPort]) server.close();
    const middle = (kind: Kind, read: (cost: Cost) => number): number =>
      (costs.get(kind) ?? []).map(read).toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
    const residentMb = (kind: Kind): number => middle(kind, ({ rssBytes }) => rssBytes) / MIB;
    const usPerAttempt = (kind: Kind): number =>
      ((middle(kind, ({ cpuMs }) => cpuMs) - middle('none', ({ cpuMs }) => cpuMs)) * 1000) /
      middle(kind, ({ attempts }) => attempts);
    run.table(
      ['probe', 'attempts', 'resident memory, MB', 'beyond none', 'CPU an attempt, µs'],
      KINDS.map((kind) => [
        kind,
        middle(kind, ({ attempts }) => attempts),
        fixed(residentMb(kind), 1),
        fixed(residentMb(kind) - residentMb('none'), 1),
        kind === 'none' ? '' : fixed(usPerAttempt(kind), 0),
      ]),
    );
    for (const kind of KINDS.filter((each) => each !== 'none')) {
      const failures = (costs.get(kind) ?? []).reduce((sum, cost) => sum + cost.failures, 0);
      const least = Math.min(...(costs.get(kind) ?? []).map(({ attempts }) => attempts));
      run.check(`${kind}: every attempt passes`, failures === 0 && least > 0, `${failures} of ${least} and more`);
    }
    const http = residentMb('http') - residentMb('none');
    const fetched = residentMb('fetch') - residentMb('none');
    run.bound(`http: at most ${MOST_HTTP_MB} MB`, http <= MOST_HTTP_MB, fixed(http, 1));
    run.bound('http: less than fetch', http < fetched, `${fixed(http, 1)} and ${fixed(fetched, 1)} MB`);
  },
};

const measure = async (kind: Kind, where: string, seconds: number): Promise<Cost> => {
  const args = [...DAEMON_OPTIONS, '--expose-gc', ROOM, kind, where, String(seconds)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...DAEMON_ENVIRONMENT },
  });
  return JSON.parse(stdout) as Cost;
};
