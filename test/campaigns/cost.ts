/**
 * What Drover itself costs: memory and idle CPU of daemon and guard with 50 workers, time from command to first answer,
 * time from a worker's death to the first answer of its replacement, and the latency of `ls`; against pm2 and plain node.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, type CampaignRun, fixed, median, medianRatio } from '../../bench/campaign.ts';
import { type Contender, untilAnswers } from '../../bench/contenders/contender.ts';
import { droverContender } from '../../bench/contenders/drover.ts';
import { plainContender } from '../../bench/contenders/node.ts';
import { pm2Contender, runPm2 } from '../../bench/contenders/pm2.ts';
import { readCpuMs, readMemory } from '../../bench/processes.ts';
import { installPackage } from '../provisions.ts';
import { openDrover } from '../support/drover.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const MB = 1024 * 1024;
const runFile = promisify(execFile);

interface Keep {
  readonly rssMB: number;
  readonly pssMB: number;
  readonly idleCpuPercent: number;
}

export const cost: Campaign = {
  name: 'cost',
  shows: 'memory, idle CPU, start and list latency against pm2 and plain node',
  run: async (run) => {
    installPackage(join(import.meta.dirname, '../../bench'), 'bench', (line) => run.say(line));
    await reportKeep(run);
    await reportStart(run);
    await reportRestart(run);
    await reportList(run);
  },
};

async function reportKeep(run: CampaignRun): Promise<void> {
  const workers = run.isSmall ? 10 : 50;
  const idleSeconds = run.isSmall ? 5 : 30;
  const measure = async (contender: Contender): Promise<Keep> =>
    run.row(`${contender.name} with ${workers} workers`, async () => measureKeep(contender, workers, idleSeconds));
  const [ours, theirs] = [await measure(droverContender), await measure(pm2Contender)];
  const row = (name: string, { rssMB, pssMB, idleCpuPercent }: Keep): string[] => [
    name,
    fixed(rssMB),
    fixed(pssMB),
    fixed(idleCpuPercent, 2),
  ];
  run.table(
    [`managers of ${workers} workers`, 'Rss MB', 'Pss MB', 'idle CPU %'],
    [row('drover', ours), row('pm2', theirs)],
  );
  run.bound('Rss at most pm2’s', ours.rssMB <= theirs.rssMB, `${fixed(ours.rssMB)} against ${fixed(theirs.rssMB)} MB`);
  run.bound('Pss at most pm2’s', ours.pssMB <= theirs.pssMB, `${fixed(ours.pssMB)} against ${fixed(theirs.pssMB)} MB`);
  run.bound('idle CPU under 0.5 %', ours.idleCpuPercent < 0.5, `${fixed(ours.idleCpuPercent, 2)} %`);
}

async function measureKeep(contender: Contender, workers: number, idleSeconds: number): Promise<Keep> {
  const port = await freePort();
  await using app = await contender.start({ script: SCRIPT, workers, port });
  const managers = await app.listManagers();
  await wait(idleSeconds);
  const cpuBefore = readCpuMs(managers);
  await wait(idleSeconds);
  const cpuMs = readCpuMs(managers) - cpuBefore;
  const { rssBytes, pssBytes } = readMemory(managers);
  return { rssMB: rssBytes / MB, pssMB: pssBytes / MB, idleCpuPercent: cpuMs / idleSeconds / 10 };
}

async function reportStart(run: CampaignRun): Promise<void> {
  const contenders = [droverContender, pm2Contender, plainContender];
  const rounds = run.isSmall ? 1 : 11;
  // In turn, because neighbours in time have met the same machine.
  const times = await run.row('starts', async () => {
    const found: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round++) {
      for (const { name, start } of contenders) {
        await using app = await start({ script: SCRIPT, workers: 1, port: await freePort() });
        (found[name] ??= []).push(app.firstAnswerMs);
      }
    }
    return found;
  });
  run.table(
    ['start to first answer', 'ms'],
    contenders.map(({ name }) => [name, fixed(median(times[name] ?? []), 0)]),
  );
  const ratio = medianRatio(times[droverContender.name] ?? [], times[pm2Contender.name] ?? []);
  run.bound('start to first answer at most 0.6× pm2', ratio <= 0.6, `${fixed(ratio, 2)}×`);
}

/** The death of an only worker to the first answer of the next: what Drover adds to a plain start of node. */
async function reportRestart(run: CampaignRun): Promise<void> {
  const rounds = run.isSmall ? 3 : 11;
  const ours = median(
    await run.row('replacement answers', async () => {
      const port = await freePort();
      await using drover = await openDrover();
      await drover.start([SCRIPT, '--name', 'app', '--instances', '1'], { env: { APP_PORT: String(port) } });
      const found: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const pid = (await drover.untilReady('app', 1)).workers[0]?.pid ?? null;
        if (pid === null) throw new Error('a ready worker has no pid');
        const startedAt = performance.now();
        process.kill(pid, 'SIGKILL');
        await untilAnswers(port);
        found.push(performance.now() - startedAt);
      }
      return found;
    }),
  );
  const plain = median(
    await run.row('plain node answers', async () => {
      const found: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await using app = await plainContender.start({ script: SCRIPT, workers: 1, port: await freePort() });
        found.push(app.firstAnswerMs);
      }
      return found;
    }),
  );
  run.bound(
    'replacement answers within 1.25× a plain start',
    ours <= 1.25 * plain,
    `${fixed(ours)} against ${fixed(plain)} ms`,
  );
}

async function reportList(run: CampaignRun): Promise<void> {
  const rounds = run.isSmall ? 5 : 21;
  const timed = async (command: () => Promise<unknown>): Promise<number> => {
    const found: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedAt = performance.now();
      await command();
      found.push(performance.now() - startedAt);
    }
    return median(found);
  };
  const times = await run.row('ls', async () => {
    await using drover = await openDrover();
    await drover.start([SCRIPT, '--name', 'app', '--instances', '4'], { env: { APP_PORT: String(await freePort()) } });
    await using pm2 = await pm2Contender.start({ script: SCRIPT, workers: 4, port: await freePort() });
    return {
      drover: await timed(async () => drover.run(['ls'])),
      pm2: await timed(async () => runPm2(pm2.home, ['ls'])),
      node: await timed(async () => runFile(process.execPath, ['-e', '0'])),
    };
  });
  run.table(
    ['list', 'ms'],
    Object.entries(times).map(([name, ms]) => [name, fixed(ms)]),
  );
  run.bound('ls at most 0.7× pm2 ls', times.drover <= 0.7 * times.pm2, `${fixed(times.drover / times.pm2, 2)}×`);
  run.bound(
    'ls within 60 ms of node -e 0',
    times.drover - times.node <= 60,
    `${fixed(times.drover - times.node)} ms more`,
  );
}

const wait = async (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
