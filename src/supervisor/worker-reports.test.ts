import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_REQUESTS } from '../../test/support/counters.ts';
import type { AgentReport, LogDrops, RequestCounters } from '../protocol/index.ts';
import { WorkerReports } from './worker-reports.ts';

const report = (seq: number, counters: Partial<RequestCounters>, log?: LogDrops): AgentReport => ({
  seq,
  counters: { ...NO_REQUESTS, ...counters },
  runtime: {
    uptimeMs: seq * 1000,
    rssBytes: 0,
    heapUsedBytes: 0,
    heapTotalBytes: 0,
    externalBytes: 0,
    cpuUserUs: 0,
    cpuSystemUs: 0,
    eventLoopUtilization: 0,
    delayMs: { mean: 0, p99: 0, max: 0 },
    gc: { count: 0, pauseMs: 0 },
    openConnections: 0,
    inFlight: 0,
  },
  ...(log === undefined ? {} : { log }),
});

/** As the daemon does when an agent says hello. */
const hello = (reports: WorkerReports, pid: number, first: AgentReport): void => {
  if (reports.isOther(pid)) reports.end();
  reports.name(pid);
  reports.add(first);
};

describe('the reports of a worker', () => {
  it('of one process never go back, also when it says hello again', () => {
    const reports = new WorkerReports();
    hello(reports, 7, report(1, {}));
    reports.add(report(5, { begun: 5, served: 5 }));
    reports.add(report(4, { begun: 4, served: 4 }));
    assert.equal(reports.last?.counters.served, 5);
    hello(reports, 7, report(6, { begun: 6, served: 6 }));
    assert.deepEqual([reports.last?.counters.served, reports.counting.earlier], [6, null]);
  });

  it('span ten seconds, whether they come every second or every tenth', () => {
    for (const [every, spanned] of [
      [1, 10],
      [10, 10],
    ] as const) {
      const reports = new WorkerReports();
      for (let seq = 1; seq <= 200; seq += every) reports.add(report(seq, {}));
      const { first, last } = reports.span ?? assert.fail('no report');
      assert.equal(last.seq - first.seq, spanned, `every ${every} s`);
    }
  });

  it('read before the first hello are of the process that says it', () => {
    const reports = new WorkerReports();
    reports.add(report(5, { begun: 5, served: 5 }));
    hello(reports, 7, report(6, { begun: 6, served: 6 }));
    assert.equal(reports.last?.counters.served, 6);
  });

  it('of the next process add to what the one before had counted, connections too', () => {
    const reports = new WorkerReports();
    hello(reports, 7, report(1, {}));
    // Two that it had begun ended with it.
    reports.add(report(50, { begun: 12, served: 9, failed: 1, connections: 3 }));
    hello(reports, 8, report(1, {}));
    const { begun, served, failed, connections } = reports.last?.counters ?? assert.fail('no report');
    assert.deepEqual([begun, served, failed, connections], [10, 9, 1, 3]);
    reports.add(report(2, { begun: 2, served: 2, connections: 1 }));
    assert.deepEqual([reports.last?.counters.served, reports.last?.counters.connections], [11, 4]);
    assert.equal(reports.requestRate, 2);
    assert.deepEqual([reports.counting.first, reports.counting.last], [7, 8]);
    // A span over both would be of neither.
    assert.equal(reports.span?.first.seq, 1);
    hello(reports, 9, report(1, { begun: 1, served: 1 }));
    assert.equal(reports.last?.counters.served, 12);
  });

  it('keep what earlier processes dropped, as over', () => {
    const reports = new WorkerReports();
    const log = { lines: 3, bytes: 30, isDropping: true, code: 'ENOSPC' };
    hello(reports, 7, report(1, {}, log));
    hello(reports, 8, report(1, {}));
    assert.deepEqual(reports.last?.log, { ...log, isDropping: false });
    reports.add(report(2, {}, { ...log, code: 'EIO' }));
    assert.deepEqual(reports.last?.log, { lines: 6, bytes: 60, isDropping: true, code: 'EIO' });
  });
});
