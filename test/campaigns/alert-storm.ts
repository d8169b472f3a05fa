/**
 * Alerts without end, told to a receiver that takes them, alone and beside seven that stall, fail, hang up, are not there or never
 * come to an end: what the bad ones cost the good one and the daemon.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, fixed, median } from '../../bench/campaign.ts';
import { MOST_WAITING } from '../../src/alerts/receiver-queue.ts';
import { DAEMON_ENVIRONMENT } from '../../src/program/index.ts';
import { DAEMON_OPTIONS } from '../../src/program/options.ts';
import type { ReceiverConfig } from '../../src/protocol/index.ts';
import { MOST_DEAD } from '../../src/store/alerts.ts';
import { hangUp, openHttpReceiver, receiverOf, stall, status, webhook } from '../alerts/support.ts';
import { freePort, temporaryFolder } from '../support/temporary.ts';

const ROOM = join(import.meta.dirname, 'alert-storm', 'room.ts');
const MIB = 1024 ** 2;
const MOST_GROWN_MB = 8;
/** A receiver that stalls takes ten seconds. */
const MOST_DELAY_MS = 1_000;
const KINDS = ['alone', 'beside bad ones'] as const;
type Kind = (typeof KINDS)[number];

interface Cost {
  readonly judged: number;
  readonly mostWaiting: number;
  readonly dead: number;
  readonly grownBytes: number;
  readonly stateBytes: number;
  readonly longestMs: number;
}
interface Round extends Cost {
  /** Alerts that the good receiver was told of, each once. */
  readonly told: number;
  /** From when an alert was found to when the good receiver had it, the middle. */
  readonly delayMs: number;
  readonly mostDelayMs: number;
}

export const alertStorm: Campaign = {
  name: 'alert-storm',
  shows: `beside seven bad receivers a good one is told of every alert within ${MOST_DELAY_MS} ms, and what waits for them is bounded`,
  run: async (run) => {
    const rounds = run.isSmall ? 1 : 5;
    const measured = new Map<Kind, Round[]>();
    for (let round = 0; round < rounds; round += 1)
      for (const kind of KINDS) {
        const row = await run.row(`${kind} ${round}`, async () => measure(kind, run.isSmall ? 8 : 40));
        measured.set(kind, [...(measured.get(kind) ?? []), row]);
      }
    const of = (kind: Kind, read: (row: Round) => number): number[] => (measured.get(kind) ?? []).map(read);
    run.table(
      [
        'receivers',
        'alerts',
        'told',
        'delay, ms',
        'at most',
        'most waiting',
        'given up',
        'grown, MB',
        'state, MB',
        'longest step, ms',
      ],
      KINDS.map((kind) => [
        kind,
        median(of(kind, ({ judged }) => judged)),
        median(of(kind, ({ told }) => told)),
        fixed(median(of(kind, ({ delayMs }) => delayMs))),
        fixed(Math.max(...of(kind, ({ mostDelayMs }) => mostDelayMs))),
        Math.max(...of(kind, ({ mostWaiting }) => mostWaiting)),
        Math.max(...of(kind, ({ dead }) => dead)),
        fixed(median(of(kind, ({ grownBytes }) => grownBytes)) / MIB),
        fixed(Math.max(...of(kind, ({ stateBytes }) => stateBytes)) / MIB),
        fixed(Math.max(...of(kind, ({ longestMs }) => longestMs))),
      ]),
    );
    for (const kind of KINDS) {
      const missing = of(kind, ({ judged, told }) => judged - told);
      run.check(
        `${kind}: the good receiver is told of every alert`,
        missing.every((each) => each === 0),
        missing.join(', '),
      );
    }
    const bad = measured.get('beside bad ones') ?? [];
    run.check(
      'what waits and what was given up is bounded',
      bad.every(({ mostWaiting, dead }) => mostWaiting <= MOST_WAITING && dead <= MOST_DEAD),
      bad.map(({ mostWaiting, dead }) => `${mostWaiting} and ${dead}`).join(', '),
    );
    run.check(
      'something was given up',
      bad.every(({ dead }) => dead > 0),
      bad.map(({ dead }) => dead).join(', '),
    );
    const latest = Math.max(...of('beside bad ones', ({ mostDelayMs }) => mostDelayMs));
    run.bound(`every alert is told within ${MOST_DELAY_MS} ms`, latest <= MOST_DELAY_MS, `${fixed(latest)} ms at most`);
    const grown = median(of('beside bad ones', ({ grownBytes }) => grownBytes)) / MIB;
    run.bound(`at most ${MOST_GROWN_MB} MB more once the queues are full`, grown <= MOST_GROWN_MB, fixed(grown));
  },
};

const measure = async (kind: Kind, seconds: number): Promise<Round> => {
  await using folder = await temporaryFolder();
  await using quick = await openHttpReceiver();
  await using stalls = await openHttpReceiver(stall);
  await using fails = await openHttpReceiver(status(500, {}, 'x'.repeat(100_000)));
  await using closes = await openHttpReceiver(hangUp);
  await using refuses = await openHttpReceiver(status(400));
  await using talks = await openHttpReceiver((response) => {
    response.writeHead(503);
    const more = (): void => void (response.destroyed || response.write('x'.repeat(1_000), () => setImmediate(more)));
    more();
  });
  const bad: readonly ReceiverConfig[] = [
    ...[stalls, fails, closes, refuses, talks].map(({ url }) => webhook(url)),
    webhook(`http://127.0.0.1:${await freePort()}/`),
    receiverOf({ kind: 'command', argv: ['/bin/sleep', '600'] }),
  ];
  const receivers = [webhook(quick.url), ...(kind === 'alone' ? [] : bad)];
  const args = [...DAEMON_OPTIONS, '--expose-gc', ROOM, folder.path, String(seconds), JSON.stringify(receivers)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...DAEMON_ENVIRONMENT },
  });
  const delays = new Map<string, number>();
  for (const { body, wallMs } of quick.received)
    for (const { labels, annotations } of body.alerts) {
      const id = `${labels['app']} ${labels['alertname']}`;
      if (!delays.has(id)) delays.set(id, wallMs - Number(annotations['summary']));
    }
  return {
    ...(JSON.parse(stdout) as Cost),
    told: delays.size,
    delayMs: median([...delays.values()]),
    mostDelayMs: Math.max(...delays.values()),
  };
};
