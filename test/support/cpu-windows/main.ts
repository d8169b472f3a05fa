/**
 * `node test/support/cpu-windows/main.ts [FOLDER] [--a N] [--b N] [--minutes N]`: records windows for the campaign
 * `cpu-diff`, and goes on where it was left. Interrupted, it keeps every launch that is whole.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL_PLAN, recordWindows } from './record.ts';

const { values, positionals } = parseArgs({
  options: {
    a: { type: 'string', default: '120' },
    b: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '600' },
  },
  allowPositionals: true,
});
const folder = positionals[0] ?? join(import.meta.dirname, '..', '..', '..', '.cache', 'cpu-windows');
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
setTimeout(() => stop.abort(), Number(values.minutes) * 60_000).unref();
try {
  await recordWindows(
    { ...FULL_PLAN, folder },
    { a: Number(values.a), b: Number(values.b) },
    { signal: stop.signal, say: (line) => process.stdout.write(`${line}\n`) },
  );
} catch (error) {
  if (!stop.signal.aborted) throw error;
}
