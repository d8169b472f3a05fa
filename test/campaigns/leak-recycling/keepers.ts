/**
 * Who keeps the leaking app running: Drover with what its users would write, and pm2 in cluster mode with
 * `max_memory_restart`. Each says afterwards what it did and which workers ended in any other way.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPm2 } from '../../../bench/contenders/pm2.ts';
import { openDrover } from '../../support/drover.ts';
import { fixture, readEvents } from '../../support/service.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const APP = 'leaks';
const SCRIPT = fixture('leaks-by-request.cjs');

export interface KeeperWish {
  readonly workers: number;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Megabytes (2²⁰) of resident memory that a worker may take, or of V8's old generation. */
  readonly limitMB: number;
  readonly limitOf: 'rss' | 'heap';
  /** False, to see what a check is worth: nothing watches the memory. */
  readonly recycles: boolean;
}

export interface Account {
  /** Workers that were replaced for their memory, in the words of whoever did it. */
  readonly recyclings: readonly string[];
  /** Workers that ended otherwise: out of memory, killed, crashed. */
  readonly otherEnds: readonly string[];
  /** What was held back, and what else somebody has to know. */
  readonly remarks: readonly string[];
}

export interface Kept extends AsyncDisposable {
  readonly account: () => Promise<Account>;
}

export interface Keeper {
  readonly name: string;
  readonly start: (wish: KeeperWish) => Promise<Kept>;
}

const heapFlag = ({ limitMB }: KeeperWish): string => `--max-old-space-size=${limitMB}`;

export const droverKeeper: Keeper = {
  name: 'drover',
  start: async (wish) => {
    const { workers, port, env, limitMB, limitOf, recycles } = wish;
    const drover = await openDrover();
    const limit =
      limitOf === 'heap' ? { nodeArgs: [heapFlag(wish)] } : { budgets: { rssMB: { max: limitMB, critical: true } } };
    const app = { script: SCRIPT, port, instances: workers, env, ...limit, heal: { enabled: recycles } };
    const file = join(drover.home, 'config', 'drover.config.json');
    mkdirSync(join(drover.home, 'config'));
    writeFileSync(file, JSON.stringify({ apps: { [APP]: app } }));
    try {
      await drover.start([file]);
    } catch (error) {
      await drover[Symbol.asyncDispose]();
      throw error;
    }
    return {
      account: async () => {
        const events = await readEvents(drover, APP);
        const drained = new Set(
          events.filter(({ type }) => type === 'worker-drained').map(({ worker, data }) => key(worker, data)),
        );
        const words = (types: readonly string[]): string[] =>
          events
            .filter(({ type }) => types.includes(type))
            .map(({ type, worker, reason }) => `${worker ?? ''} ${type}: ${reason ?? ''}`);
        return {
          recyclings: words(['worker-recycled']),
          otherEnds: events
            .filter(({ type, worker, data }) => type === 'worker-exited' && !drained.has(key(worker, data)))
            .map(({ worker, reason }) => `${worker ?? ''}: ${reason ?? ''}`),
          remarks: words(['worker-killed', 'worker-recovering', 'heal-held-back', 'worker-quarantined', 'defect']),
        };
      },
      [Symbol.asyncDispose]: async () => drover[Symbol.asyncDispose](),
    };
  },
};

/** The process that an event is about. */
const key = (worker: string | undefined | null, data: unknown): string =>
  `${worker ?? ''} ${JSON.stringify((data as { pid?: unknown; generation?: unknown } | null)?.pid ?? null)}`;

export const pm2Keeper: Keeper = {
  name: 'pm2',
  start: async (wish) => {
    const { workers, port, env, limitMB, limitOf } = wish;
    const folder = await temporaryFolder('pm2');
    const home = folder.path;
    const stop = async (): Promise<void> => {
      await runPm2(home, ['kill']);
      await folder[Symbol.asyncDispose]();
    };
    const file = join(home, 'leaks.json');
    const app = {
      name: APP,
      script: SCRIPT,
      instances: workers,
      exec_mode: 'cluster',
      max_memory_restart: `${limitMB}M`,
      ...(limitOf === 'heap' ? { node_args: heapFlag(wish) } : {}),
      env: { ...env, PORT: String(port), CLOSES_ON: 'SIGINT' },
    };
    writeFileSync(file, JSON.stringify({ apps: [app] }));
    try {
      await runPm2(home, ['start', file]);
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      account: async () => {
        const lines = readFileSync(join(home, 'pm2.log'), 'utf8').split('\n');
        const find = (text: RegExp): string[] => lines.flatMap((line) => text.exec(line)?.[0] ?? []);
        const ends = find(/App \[leaks:[^\]]*\] exited with code .*$/);
        return {
          recyclings: find(/Process \S+ restarted because it exceeds .*$/),
          // Asked to go it ends with 0.
          otherEnds: ends.filter((end) => !end.includes('code [0] via signal [SIGINT]')),
          remarks: find(/Process with pid \d+ still alive.*$/),
        };
      },
      [Symbol.asyncDispose]: stop,
    };
  },
};
