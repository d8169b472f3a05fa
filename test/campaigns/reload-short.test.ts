/** The loss matrix in its shortest form, for every `npm test`: all kinds of traffic at once, two reloads. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ReceiptDocument } from '../../src/protocol/index.ts';
import { openDrover } from '../support/drover.ts';
import { answeredBetween, type LoadReport, type LoadSpec, startLoad } from '../support/load/index.ts';
import { spanOf } from '../support/receipt.ts';
import { freePort } from '../support/temporary.ts';

const SCRIPT = join(import.meta.dirname, '..', 'support', 'apps', 'plain.mjs');
const RELOADS = 2;
/** A receipt counts from reports of the agents, which are a moment older than its begin and its end. */
const EDGE_MS = 250;

type Wish = Partial<LoadSpec> & Pick<LoadSpec, 'mode'>;

/** Small enough that one core is left to the workers: a machine that is full shows nothing but itself. */
const OVER_HTTP1: readonly Wish[] = [
  { mode: 'new', connections: 10, pauseMs: [5, 25] },
  { mode: 'kept', connections: 30, pauseMs: [5, 40], slowPauseMs: [0, 4000] },
  { mode: 'post', connections: 10, pauseMs: [20, 80], slowPauseMs: [0, 4000] },
  { mode: 'download', connections: 10 },
  { mode: 'events', connections: 20 },
  { mode: 'websocket', connections: 30 },
];

describe('a reload of an app without signal handlers', () => {
  for (const workers of [2, 4]) {
    it(`loses nothing of any traffic over HTTP/1.1 with ${workers} workers, and closes each WebSocket once`, async () => {
      const { reports, receipts } = await reloadUnder(OVER_HTTP1, workers, {});
      assertNothingLost(reports, receipts);
      const sockets = reports.find(({ mode }) => mode === 'websocket');
      assert.deepEqual(Object.keys(sockets?.streams.endings ?? {}), ['1012']);
      const most = Math.max(...(sockets?.streams.endingsPerClient ?? []));
      assert.ok(most <= RELOADS, `a socket was closed ${most} times in ${RELOADS} reloads`);
    });
  }

  it('loses nothing over HTTP/2, and the receipts count what the clients count', async () => {
    const load: Wish = { mode: 'http2', connections: 40, pauseMs: [5, 40] };
    const { reports, receipts } = await reloadUnder([load], 2, { PROTOCOL: 'http2' });
    assertNothingLost(reports, receipts);
    assertReceiptsCount(reports, receipts);
  });

  it('ends with receipts that count what the clients count', async () => {
    const loads: readonly Wish[] = OVER_HTTP1.filter(({ mode }) => mode === 'new' || mode === 'kept');
    const { reports, receipts } = await reloadUnder(loads, 2, {});
    assertNothingLost(reports, receipts);
    assertReceiptsCount(reports, receipts);
  });
});

interface Reloaded {
  readonly reports: readonly LoadReport[];
  readonly receipts: readonly ReceiptDocument[];
}

async function reloadUnder(wishes: readonly Wish[], workers: number, more: Record<string, string>): Promise<Reloaded> {
  await using drover = await openDrover();
  const port = await freePort();
  const env = { ...more, APP_PORT: String(port) };
  await drover.start([SCRIPT, '--name', 'app', '--instances', String(workers)], { env });
  await drover.untilReady('app', workers);
  const loads = await Promise.all(wishes.map(async (wish) => startLoad({ ...wish, port, seconds: 110 })));
  const isQuick = ({ mode }: LoadSpec): boolean => mode !== 'download';
  const quick = loads.filter(({ spec }) => isQuick(spec));
  const receipts: ReceiptDocument[] = [];
  for (let count = 0; count < RELOADS; count++) {
    await Promise.all(quick.map(async (load) => load.untilAnswered(50)));
    receipts.push(await drover.reload('app', { env }));
  }
  await Promise.all(quick.map(async (load) => load.untilAnswered(50)));
  return { reports: await Promise.all(loads.map(async (load) => load.stop())), receipts };
}

function assertNothingLost(reports: readonly LoadReport[], receipts: readonly ReceiptDocument[]): void {
  const lost = Object.fromEntries(reports.map(({ mode, lostByReason }) => [mode, lostByReason]));
  assert.deepEqual(lost, Object.fromEntries(reports.map(({ mode }) => [mode, {}])), 'the clients');
  for (const { outcome, reason, requests } of receipts) {
    assert.equal(outcome, 'completed', reason ?? '');
    const { failed, lost, unknown } = requests;
    assert.deepEqual({ failed, lost, unknown }, { failed: 0, lost: 0, unknown: 0 }, 'the receipt');
  }
}

function assertReceiptsCount(reports: readonly LoadReport[], receipts: readonly ReceiptDocument[]): void {
  for (const receipt of receipts) {
    const { requests } = receipt;
    const { from, to } = spanOf(receipt);
    const count = (edge: number): number =>
      reports.reduce((sum, report) => sum + answeredBetween(report, from + edge, to - edge), 0);
    const [least, most] = [count(EDGE_MS), count(-EDGE_MS)];
    assert.ok(requests.served >= least && requests.served <= most, `${requests.served} is not in ${least}–${most}`);
  }
}
