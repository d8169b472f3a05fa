/**
 * A process with the daemon's options that records samples of `workers` for `seconds` of a clock of its own, as fast as it
 * can, and says what that took: `record.ts <file> <workers> <seconds> <yes|no>`. With `no` it only makes the reports.
 */
import type { Clock } from '../../../src/protocol/index.ts';
import { TimeSeries } from '../../../src/metrics/index.ts';
import { report } from '../../metrics/readings.ts';

const [file = '', workers = '', seconds = '', isRecording = ''] = process.argv.slice(2);
const START = 1_790_000_000_000;
let now = 0;
const clock = { monotonicMs: () => now, wallMs: () => START + now } as Clock;
const series = new TimeSeries({ file, clock, quotaBytes: 256 * 1024 ** 2, keepMs: 30 * 86_400_000 });
const plain = report();
const buckets = new Map<number, number>();
const before = process.cpuUsage();
for (let second = 1; second <= Number(seconds); second += 1) {
  now += 1_000;
  // Latencies of an ordinary service lie in some sixty buckets, of which thirty get something each second.
  for (let at = 0; at < 30; at += 1) {
    const bucket = 100 + ((second * 7 + at * 13) % 60);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 5);
  }
  const latency = [...buckets].toSorted(([a], [b]) => a - b).flat();
  const list = Array.from({ length: Number(workers) }, (_, slot) => ({
    worker: `shop/${slot}`,
    spawn: `spawn-${slot}`,
    acceptQueue: slot % 3,
    report: {
      ...plain,
      counters: { ...plain.counters, begun: second * 150 + slot, served: second * 149, latency },
      runtime: { ...plain.runtime, uptimeMs: now, rssBytes: 64_000_000 + second * 4_096, cpuUserUs: second * 300_000 },
    },
  }));
  if (isRecording === 'yes') {
    series.record([{ app: 'shop', workers: list }]);
    // Writes run beside, as in the daemon; without a wait for the disk they would pile up against a clock that is too fast.
    if (second % 10 === 0) await series.settled();
  }
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1_000, usedBytes: series.condition.usedBytes }));
await series.close();
