/** No room for logs, no descriptors for the daemon, and disks that are full or slow below the state. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../../support/eventually.ts';
import { noMounts, smallDisk } from '../../../support/file-systems.ts';
import { type SmallDisk, whyNoSmallDisk } from '../../../support/small-disk.ts';
import { openSlowDisk, whyNoSlowDisk } from '../../../support/slow-disk.ts';
import { openApart, type Apart } from '../apart.ts';
import { type Fault, pick, Violation } from '../fault.ts';

const FULL_MS = 1500;
const NOTICED_WITHIN_MS = 40_000;
const STATE_DISK_BYTES = 6 * 1024 * 1024;
const SLOW_DISK_BYTES = 64 * 1024 * 1024;
/** A hundred times slower than the slowest disk that anybody has: a commit takes a second. */
const SLOW_BYTES_PER_SECOND = 32 * 1024;
/** Descriptors beyond those that the daemon has: too few for one more worker. */
const SPARE_DESCRIPTORS = 3;

const kill = async ({ drover, deaths }: Apart, random: () => number): Promise<void> => {
  const victim = pick(random, await drover.pids('app'));
  deaths.kill('app', victim);
  await eventually(
    'it is replaced',
    async () => {
      const { workers } = await drover.app('app');
      return workers.length === 2 && workers.every(({ status, pid }) => status === 'ready' && pid !== victim);
    },
    { withinMs: 20_000 },
  );
};

export const DISK: readonly Fault[] = [
  {
    name: 'disk of the logs full',
    family: 'disk',
    scope: 'app',
    times: 1,
    apps: ['express'],
    skip: whyNoSmallDisk(),
    provokes: ['log-dropped'],
    async inject({ world, app }) {
      const { logDisk } = world;
      if (logDisk === null) throw new Error('there is no small disk');
      const before = await app.pids();
      try {
        await eventually('lines are dropped', async () => {
          // Drover gives room back by removing archives: that is taken as well.
          fill(logDisk);
          const { workers } = await app.document();
          return workers.some(({ logDropped }) => logDropped?.dropping);
        });
        await wait(FULL_MS);
      } finally {
        logDisk.free();
      }
      await eventually('no line is dropped any more', async () => {
        const { workers } = await app.document();
        return workers.every(({ logDropped }) => logDropped?.dropping !== true);
      });
      if ((await app.pids()).join() !== before.join()) throw new Violation('workers have ended of it');
    },
  },
  {
    name: 'daemon has no descriptors left',
    family: 'disk',
    scope: 'daemon',
    times: 1,
    provokes: ['worker-backoff', 'worker-exited', 'output-lost'],
    async inject({ world, app, random }) {
      const pid = await world.daemonPid();
      const before = readLimit(pid);
      setLimit(pid, readdirSync(`/proc/${pid}/fd`).length + SPARE_DESCRIPTORS, before.hard);
      try {
        world.deaths.kill(app.name, pick(random, await app.pids()));
        await wait(FULL_MS);
      } finally {
        setLimit(pid, before.soft, before.hard);
      }
      if ((await world.daemonPid()) !== pid) throw new Violation('the daemon has ended of it');
    },
  },
  {
    name: 'disk of the state full',
    family: 'disk',
    scope: 'apart',
    times: 1,
    skip: noMounts,
    async inject({ random }) {
      await using disk = await smallDisk(STATE_DISK_BYTES);
      await using apart = await openApart(disk.path);
      const { drover } = apart;
      disk.fill();
      await eventually(
        'the disk is noticed to be full',
        async () => {
          await kill(apart, random);
          return (await drover.daemon()).state?.status === 'unwritable';
        },
        { withinMs: NOTICED_WITHIN_MS },
      );
      const refused = await drover.run(['reload', 'app', '--json']);
      if (refused.code === 0) throw new Violation('a change that cannot be written was carried out');
      await apart.withSameWorkers(async () => void (await drover.killDaemon()));
      await kill(apart, random);
      disk.empty();
      await eventually('the state is written', async () => (await drover.daemon()).state?.status === 'written', {
        withinMs: NOTICED_WITHIN_MS,
      });
      await apart.change('reload');
      await apart.finish();
    },
  },
  {
    name: 'disk of the state slow',
    family: 'disk',
    scope: 'apart',
    times: 1,
    isLong: true,
    skip: whyNoSlowDisk(),
    async inject({ random }) {
      await using disk = await openSlowDisk(SLOW_DISK_BYTES);
      await using apart = await openApart(disk.path);
      disk.slowDown(SLOW_BYTES_PER_SECOND);
      await kill(apart, random);
      await apart.change('reload');
      await apart.withSameWorkers(async () => void (await apart.drover.killDaemon({ withinMs: 60_000 })));
      disk.speedUp();
      await apart.finish();
    },
  },
];

/** The app writes at the same time: whoever meets the end of the room first, it is full. */
function fill(disk: SmallDisk): void {
  try {
    disk.fill();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

interface Limit {
  readonly soft: number;
  readonly hard: number;
}

function readLimit(pid: number): Limit {
  const [soft = 0, hard = 0] = prlimit(`--pid=${pid}`, '--nofile', '--raw', '--noheadings', '--output=SOFT,HARD')
    .trim()
    .split(/\s+/)
    .map(Number);
  return { soft, hard };
}

const setLimit = (pid: number, soft: number, hard: number): void =>
  void prlimit(`--pid=${pid}`, `--nofile=${soft}:${hard}`);

function prlimit(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('prlimit', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit ${args.join(' ')}: ${stderr}`);
  return stdout;
}
