/**
 * What it costs the daemon to keep time series: processor time of recording and writing fifty workers every second, less
 * that of making the reports, in a process with the daemon's options.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Campaign, fixed, median } from '../../bench/campaign.ts';
import { DAEMON_OPTIONS } from '../../src/program/options.ts';
import { temporaryFolder } from '../support/temporary.ts';

const RECORD = join(import.meta.dirname, 'series-cost', 'record.ts');
const WORKERS = 50;
const MOST_SHARE = 0.01;

interface Cost {
  readonly cpuMs: number;
  readonly usedBytes: number;
}

export const seriesCost: Campaign = {
  name: 'series-cost',
  shows: `time series of ${WORKERS} workers, every second, take less than ${MOST_SHARE * 100} % of a core`,
  run: async (run) => {
    const seconds = run.isSmall ? 120 : 3_600;
    const rounds = run.isSmall ? 1 : 3;
    const shares: number[] = [];
    let used = 0;
    for (let round = 0; round < rounds; round += 1) {
      const idle = await run.row(`reports ${round}`, async () => measure(seconds, false));
      const busy = await run.row(`recorded ${round}`, async () => measure(seconds, true));
      shares.push((busy.cpuMs - idle.cpuMs) / (seconds * 1_000));
      used = busy.usedBytes;
    }
    const share = median(shares);
    run.table(
      ['workers', 'seconds', 'share of a core', 'MB an hour'],
      [[WORKERS, seconds, `${fixed(share * 100, 2)} %`, fixed((used / 1024 ** 2) * (3_600 / seconds))]],
    );
    run.bound('recording and writing', share < MOST_SHARE, `${fixed(share * 100, 2)} % of a core`);
    run.check('something was written', used > 100_000, `${used} bytes`);
  },
};

const measure = async (seconds: number, isRecording: boolean): Promise<Cost> => {
  await using folder = await temporaryFolder('series-cost');
  const args = [
    ...DAEMON_OPTIONS,
    RECORD,
    join(folder.path, 'metrics.db'),
    String(WORKERS),
    String(seconds),
    isRecording ? 'yes' : 'no',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Cost;
};
