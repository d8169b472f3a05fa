/**
 * The load's own process, so that it neither disturbs nor is disturbed by the test: one {@link LoadSpec} as JSON in the
 * first argument, {@link LoadLine}s on stdout. It ends at the spec's bounds, on the line `stop`, or when stdin closes.
 */
import { createInterface } from 'node:readline';
import { Load } from './load.ts';
import type { LoadLine, LoadSpec } from './spec.ts';

const say = (line: LoadLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const load = new Load(JSON.parse(process.argv[2] ?? '') as LoadSpec);
const commands = createInterface({ input: process.stdin });
commands.on('line', () => load.stop());
commands.on('close', () => load.stop());
say({ type: 'started' });
const progress = setInterval(
  () => say({ type: 'progress', answered: load.ledger.answered, lost: load.ledger.lost }),
  50,
);
const report = await load.run();
clearInterval(progress);
say({ type: 'report', report });
commands.close();
process.stdin.destroy();
