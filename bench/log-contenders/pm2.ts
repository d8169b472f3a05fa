/**
 * pm2 with pm2-logrotate, both from this folder's package, with a home of their own. Fork mode is pm2's own; in cluster
 * mode each worker writes its file itself. The module is put where `pm2 install` would have put it, so that it is
 * the version that was tried, and rotates as often as its settings allow: they are looked at once a second, not every 30.
 */
import { createReadStream, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { eventually } from '../../test/support/eventually.ts';
import { listChildren } from '../../test/support/processes.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { runPm2 } from '../contenders/pm2.ts';
import { readCpuMs } from '../processes.ts';
import { type LogContender, type PrinterWish, readDiskBytes, type RunningPrinters } from './log-contender.ts';

const APP = 'printer';
const MODULE = 'pm2-logrotate';
const PACKAGES = join(import.meta.dirname, '..', 'node_modules');
/** pm2's files have not grown for so many looks, ten of them a second. */
const STILL_LOOKS = 30;

type Mode = 'fork' | 'cluster';

const contender = (mode: Mode): LogContender => ({
  name: `pm2 ${mode}, pm2-logrotate`,
  start: async (wish) => start(mode, wish),
});

export const pm2ForkLogs = contender('fork');
export const pm2ClusterLogs = contender('cluster');

async function start(mode: Mode, { script, workers, env, maxMegabytes }: PrinterWish): Promise<RunningPrinters> {
  const folder = await temporaryFolder('pm2');
  const home = folder.path;
  const logs = join(home, 'logs');
  const stop = async (): Promise<void> => {
    await runPm2(home, ['kill']);
    await folder[Symbol.asyncDispose]();
  };
  try {
    installModule(home, maxMegabytes);
    // Starts the daemon, and that its modules.
    await runPm2(home, ['ping']);
    const manager = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
    const rotator = await eventually('the module runs', () => readModulePid(home), { withinMs: 30_000 });
    const config = join(home, 'printers.json');
    const app = { name: APP, script, instances: workers, exec_mode: mode, env };
    writeFileSync(config, JSON.stringify({ apps: [app] }));
    await runPm2(home, ['start', config]);
    const listFiles = (): string[] =>
      readdirSync(logs)
        .filter((name) => name.startsWith(`${APP}-out`))
        .map((name) => join(logs, name));
    return {
      manager,
      readRotatorCpuMs: () => readCpuMs([rotator]),
      countRotations: () => listFiles().filter((file) => file.includes('__')).length,
      readLargestBytes: () => Math.max(...listFiles().map(readDiskBytes)),
      untilWritten: async () => untilStill(listFiles),
      readLines: () => readAll(listFiles()),
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function installModule(home: string, maxMegabytes: number): void {
  const folder = join(home, 'modules', MODULE, 'node_modules');
  mkdirSync(folder, { recursive: true });
  symlinkSync(join(PACKAGES, MODULE), join(folder, MODULE));
  const settings = {
    max_size: `${maxMegabytes}M`,
    retain: '10000',
    compress: 'true',
    dateFormat: 'YYYY-MM-DD_HH-mm-ss',
    workerInterval: '1',
    rotateInterval: '0 0 * * *',
    rotateModule: 'false',
  };
  writeFileSync(
    join(home, 'module_conf.json'),
    JSON.stringify({ 'module-db-v2': { [MODULE]: {} }, [MODULE]: settings }),
  );
}

/** pm2 notes the pid of what it runs in a file of its name. */
function readModulePid(home: string): number | false {
  const folder = join(home, 'pids');
  const file = readdirSync(folder).find((name) => name.startsWith(MODULE));
  const manager = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  const pid = file === undefined ? Number.NaN : Number(readFileSync(join(folder, file), 'utf8'));
  return listChildren(manager).includes(pid) && pid;
}

/** A daemon that is behind goes on writing after its workers have stopped. */
async function untilStill(listFiles: () => readonly string[]): Promise<void> {
  let last = '';
  let still = 0;
  await eventually(
    'the files have stopped growing',
    () => {
      const now = listFiles()
        .map((file) => `${file} ${statSync(file, { throwIfNoEntry: false })?.size}`)
        .join();
      still = now === last ? still + 1 : 0;
      last = now;
      return still >= STILL_LOOKS;
    },
    { withinMs: 300_000, everyMs: 100 },
  );
}

async function* readAll(files: readonly string[]): AsyncIterable<string> {
  // Rotated files have their time in their name; the one that is written to sorts behind them by its age.
  const isCurrent = (file: string): number => (file.includes('__') ? 0 : 1);
  for (const file of files.toSorted((a, b) => isCurrent(a) - isCurrent(b) || (a < b ? -1 : 1))) {
    const bytes = createReadStream(file);
    const text = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
    yield* createInterface({ input: text, crlfDelay: Infinity });
  }
}
