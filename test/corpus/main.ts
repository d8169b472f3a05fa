/**
 * For developing: `node test/corpus/main.ts capture [--only a,b] [--into DIR] [--node PATH]` takes the snapshots of the
 * corpus, `… list` shows the programs. Snapshots stay in `--into` (`.cache/corpus` unless said).
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { capture } from './capture.ts';
import { listPrograms } from './manifest.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    into: { type: 'string', default: join(ROOT, '.cache', 'corpus') },
    node: { type: 'string', default: process.execPath },
    programs: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const programs = listPrograms(values.only?.split(',') ?? [], values.programs);
const [command] = positionals;

async function captureAll(): Promise<number> {
  let failed = 0;
  for (const program of programs) {
    try {
      const { elapsedMs, bytes, files } = await capture(program, values.into, values.node);
      const shown = `${(elapsedMs / 1000).toFixed(1)} s, ${(bytes / files.length / 1e6).toFixed(1)} MB each`;
      console.log(
        values.json ? JSON.stringify({ name: program.name, elapsedMs, bytes, files }) : `${program.name}: ${shown}`,
      );
    } catch (error) {
      failed += 1;
      console.error(`${program.name} FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
}

if (command === 'capture') process.exitCode = (await captureAll()) === 0 ? 0 : 1;
else if (command === 'list') {
  for (const { name, about, leaks } of programs) {
    console.log(
      `${name.padEnd(28)} ${(leaks.map(({ patterns }) => patterns[0]).join(' + ') || 'healthy').padEnd(24)} ${about}`,
    );
  }
} else {
  console.error('node test/corpus/main.ts capture|list [--only a,b] [--into DIR] [--node PATH] [--json]');
  process.exitCode = 2;
}
