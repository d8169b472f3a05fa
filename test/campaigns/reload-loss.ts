/**
 * Reload loss: every kind of traffic, under reloads, for an app without signal handlers and for four with their own.
 * Lost must be 0, each WebSocket is closed once with 1012, and the receipts must say what the clients saw.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign, CampaignRun } from '../../bench/campaign.ts';
import type { ReceiptDocument } from '../../src/protocol/index.ts';
import { openDrover } from '../support/drover.ts';
import { answeredBetween, type LoadMode, type LoadReport, type LoadSpec, startLoad } from '../support/load/index.ts';
import { spanOf } from '../support/receipt.ts';
import { freePort } from '../support/temporary.ts';
import { installPackage } from '../provisions.ts';

const TEST = join(import.meta.dirname, '..');
const APPS = {
  'no handlers': join(TEST, 'support/apps/plain.mjs'),
  'server.close()': join(TEST, 'support/apps/closes-on-sigterm.mjs'),
  'process.exit(0)': join(TEST, 'support/apps/exits-on-sigterm.mjs'),
  fastify: join(TEST, 'programs/apps/matrix/fastify.mjs'),
  nest: join(TEST, 'programs/apps/matrix/nest.mjs'),
} as const;
type AppName = keyof typeof APPS;

const LOADS: Record<Exclude<LoadMode, 'open'>, Partial<LoadSpec>> = {
  new: { connections: 20, pauseMs: [10, 60] },
  // Some clients mostly idle: a connection that is closed while it idles races the next request.
  kept: { connections: 50, pauseMs: [10, 80], slowPauseMs: [0, 4000] },
  post: { connections: 50, pauseMs: [30, 150], slowPauseMs: [0, 4000] },
  download: { connections: 20 },
  events: { connections: 50 },
  websocket: { connections: 50 },
  http2: { connections: 50, pauseMs: [10, 80] },
};
const MODES = Object.keys(LOADS) as (keyof typeof LOADS)[];

/** Where an answer is a request: a WebSocket's or an event stream's messages are none. */
const COUNTED_BOTH_SIDES: ReadonlySet<LoadMode> = new Set(['new', 'kept', 'post', 'http2', 'download']);

/** A reload is mostly waiting for old connections; loss, not time, is what is measured here. */
const CELLS_AT_A_TIME = 5;

interface Cell {
  readonly app: AppName;
  readonly mode: keyof typeof LOADS;
  readonly workers: number;
}

interface CellResult {
  readonly answered: number;
  readonly lost: number;
  readonly lostByReason: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly endings: Readonly<Record<string, number>>;
  readonly mostEndingsPerClientAndReload: number;
  readonly unanswered: number;
  readonly reloads: number;
  readonly outcomes: readonly string[];
  readonly receipts: {
    readonly served: number;
    readonly failed: number;
    readonly lost: number;
    readonly unknown: number;
  };
  /** What the clients counted between the begin and the end that each receipt names. */
  readonly answeredMeanwhile: number;
  readonly medianReloadMs: number;
}

function listCells(isSmall: boolean): Cell[] {
  const cells = (Object.keys(APPS) as AppName[]).flatMap((app) =>
    MODES.flatMap((mode) => [2, 4].map((workers) => ({ app, mode, workers }))),
  );
  return (
    cells
      // Nest's platform is Express, which does not speak HTTP/2.
      .filter(({ app, mode }) => !(app === 'nest' && mode === 'http2'))
      .filter(({ app, mode, workers }) => {
        if (!isSmall) return true;
        return app === 'no handlers' ? workers === (mode === 'kept' ? 4 : 2) : mode === 'kept' && workers === 2;
      })
  );
}

export const reloadLoss: Campaign = {
  name: 'reload-loss',
  shows: '10 reloads under every kind of traffic, for five apps, with 2 and 4 workers: nothing is lost',
  run: async (run) => {
    installPackage(join(TEST, 'programs'), 'test/programs', (line) => run.say(line));
    const cells = listCells(run.isSmall);
    const results: (readonly [Cell, CellResult])[] = [];
    const measureNext = async (): Promise<void> => {
      for (let cell = cells.shift(); cell !== undefined; cell = cells.shift()) {
        const result = await measureCell(run, cell);
        if (result !== null) results.push([cell, result]);
      }
    };
    await Promise.all(Array.from({ length: CELLS_AT_A_TIME }, measureNext));
    summarize(run, results);
  },
};

async function measureCell(run: CampaignRun, cell: Cell): Promise<CellResult | null> {
  const key = `${cell.app}, ${cell.mode}, ${cell.workers} workers`;
  try {
    const result = await run.row(key, async () => measure(cell, run.isSmall ? 2 : 10));
    judge(run, key, cell, result);
    return result;
  } catch (error) {
    run.broken(key, error);
    return null;
  }
}

async function measure({ app, mode, workers }: Cell, reloads: number): Promise<CellResult> {
  await using drover = await openDrover();
  const port = await freePort();
  const env = { APP_PORT: String(port), ...(mode === 'http2' ? { PROTOCOL: 'http2' } : {}) };
  mkdirSync(join(drover.home, 'cwd'));
  await drover.start([APPS[app], '--name', 'app', '--instances', String(workers)], {
    env,
    cwd: join(drover.home, 'cwd'),
  });
  await drover.untilReady('app', workers);
  const load = await startLoad({ mode, port, seconds: 60 * reloads, timeoutMs: 20_000, ...LOADS[mode] });
  // A download takes ten seconds: the first reload must find them half-way.
  if (mode !== 'download') await load.untilAnswered(50);
  const receipts: ReceiptDocument[] = [];
  for (let count = 0; count < reloads; count++) receipts.push(await drover.reload('app', { env }));
  const report = await load.stop();
  return summarizeCell(report, receipts);
}

function summarizeCell(report: LoadReport, receipts: readonly ReceiptDocument[]): CellResult {
  const total = (name: 'served' | 'failed' | 'lost' | 'unknown'): number =>
    receipts.reduce((sum, { requests }) => sum + requests[name], 0);
  const durations = receipts.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b);
  return {
    answered: report.answered,
    lost: report.lost,
    lostByReason: report.lostByReason,
    refused: report.refused,
    endings: report.streams.endings,
    mostEndingsPerClientAndReload: Math.max(...report.streams.endingsPerClient) / receipts.length,
    unanswered: report.streams.unanswered,
    reloads: receipts.length,
    outcomes: receipts.map(({ outcome }) => outcome),
    receipts: { served: total('served'), failed: total('failed'), lost: total('lost'), unknown: total('unknown') },
    answeredMeanwhile: receipts.reduce((sum, receipt) => {
      const { from, to } = spanOf(receipt);
      return sum + answeredBetween(report, from, to);
    }, 0),
    medianReloadMs: durations[Math.floor(durations.length / 2)] ?? 0,
  };
}

function judge(run: CampaignRun, key: string, { mode }: Cell, result: CellResult): void {
  const { answered, lost, lostByReason, outcomes, receipts } = result;
  run.check(
    `${key}: reloads complete`,
    outcomes.every((outcome) => outcome === 'completed'),
    outcomes.join(', '),
  );
  run.check(
    `${key}: nothing lost`,
    lost === 0 && answered > 0,
    `${lost} of ${answered} ${JSON.stringify(lostByReason)}`,
  );
  run.check(
    `${key}: receipts agree`,
    receipts.lost + receipts.failed + receipts.unknown === lost,
    JSON.stringify(receipts),
  );
  if (COUNTED_BOTH_SIDES.has(mode)) {
    // What was under way in the moments of begin and end may be counted on one side and not on the other.
    const border = 2 * outcomes.length * (LOADS[mode].connections ?? 0);
    const difference = Math.abs(receipts.served - result.answeredMeanwhile);
    run.check(
      `${key}: receipts count what clients count`,
      difference <= border,
      `served ${receipts.served}, clients ${result.answeredMeanwhile}, border ${border}`,
    );
  }
  if (mode === 'websocket') {
    const { endings, mostEndingsPerClientAndReload: most } = result;
    const isClean = Object.keys(endings).every((code) => code === '1012') && most <= 1;
    run.check(
      `${key}: each socket closed once, with 1012`,
      isClean,
      `${JSON.stringify(endings)}, most ${most} a reload`,
    );
  }
}

function summarize(run: CampaignRun, results: readonly (readonly [Cell, CellResult])[]): void {
  const head = ['app', 'traffic', 'workers', 'answered', 'lost', 'refused', 'receipts: served', 'clients', 'reload ms'];
  const rows = results.map(([{ app, mode, workers }, result]) => [
    app,
    mode,
    workers,
    result.answered,
    result.lost,
    result.refused,
    result.receipts.served,
    result.answeredMeanwhile,
    result.medianReloadMs,
  ]);
  run.table(head, rows);
  const isRequest = ([{ mode }]: readonly [Cell, CellResult]): boolean => mode !== 'websocket' && mode !== 'events';
  const requests = results.filter(isRequest).reduce((sum, [, { answered }]) => sum + answered, 0);
  run.bound('at least 200,000 requests in total', requests >= 200_000, String(requests));
}
