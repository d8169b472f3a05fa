/**
 * For developing: `node test/corpus/main.ts capture [--only a,b] [--into DIR] [--node PATH]` takes the snapshots of the
 * corpus, `judge` compares the engine's verdicts on them with the truth, `list` shows the programs. Snapshots stay in
 * `--into` (`.cache/corpus` unless said). `--programs DIR` takes programs from elsewhere.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { capture, snapshotFiles } from './capture.ts';
import { judge, type Judged } from './judge.ts';
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
const [command, ...others] = positionals;
if (others.length > 0) throw new Error(`programs are named with --only, not as ${others.join(', ')}`);

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

async function judgeAll(): Promise<void> {
  const all: Judged[] = [];
  for (const program of programs) {
    const files = snapshotFiles(values.into, program.name);
    if (!files.every((file) => existsSync(file))) {
      console.error(`${program.name}: no snapshots in ${values.into}; capture them first`);
      continue;
    }
    const judged = await judge(program, files);
    all.push(judged);
    console.log(values.json ? JSON.stringify(judged) : describe(judged));
  }
  if (!values.json) console.log(summarise(all));
}

function describe(judged: Judged): string {
  const { name, isLeaking, isVerdictRight, isHolderRight, isPatternRight, isLineRight, verdict, confidence } = judged;
  const wrong = [
    isVerdictRight ? '' : 'VERDICT',
    !isLeaking || isHolderRight ? '' : 'HOLDER',
    !isLeaking || isPatternRight ? '' : 'pattern',
    !isLeaking || isLineRight ? '' : 'line',
    judged.found === judged.leaks ? '' : `found ${judged.found}/${judged.leaks}`,
  ].filter((word) => word !== '');
  const head = `${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${name}: ${verdict} (${confidence.toFixed(2)}) ${wrong.join(' ')}`;
  const shown = isLeaking || !isVerdictRight ? judged.suspects.slice(0, wrong.length === 0 ? 1 : 3) : [];
  return [head, ...shown.map((suspect) => `        ${suspect}`)].join('\n');
}

function summarise(all: readonly Judged[]): string {
  const leaking = all.filter(({ isLeaking }) => isLeaking);
  const share = (of: readonly Judged[], is: (judged: Judged) => boolean): string =>
    `${of.filter(is).length}/${of.length}`;
  return [
    `verdict ${share(all, ({ isVerdictRight }) => isVerdictRight)}`,
    `holder ${share(leaking, ({ isHolderRight }) => isHolderRight)}`,
    `pattern ${share(leaking, ({ isPatternRight }) => isPatternRight)}`,
    `line ${share(leaking, ({ isLineRight }) => isLineRight)}`,
    `false alarms ${share(
      all.filter(({ isLeaking }) => !isLeaking),
      ({ verdict }) => verdict === 'leak',
    )}`,
  ].join(', ');
}

if (command === 'capture') process.exitCode = (await captureAll()) === 0 ? 0 : 1;
else if (command === 'judge') await judgeAll();
else if (command === 'list') {
  for (const { name, about, leaks } of programs) {
    console.log(
      `${name.padEnd(28)} ${(leaks.map(({ patterns }) => patterns[0]).join(' + ') || 'healthy').padEnd(24)} ${about}`,
    );
  }
} else {
  console.error('node test/corpus/main.ts capture|judge|list [--only a,b] [--into DIR] [--node PATH] [--json]');
  process.exitCode = 2;
}
