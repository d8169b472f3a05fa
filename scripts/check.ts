/**
 * `npm run check`: types of sources and tests, lint, format and the rule of rooms, side by side. Exits non-zero on any
 * finding, and prints only what is wrong.
 */
import { join } from 'node:path';
import { ROOT, runTool } from './commands.ts';
import { findBreaches } from './rooms.ts';

interface Finding {
  readonly name: string;
  readonly seconds: number;
  /** What is wrong, ready to print; empty when nothing is. */
  readonly output: string;
}

async function checkWith(name: string, tool: string, args: readonly string[]): Promise<Finding> {
  const { code, output, seconds } = await runTool(tool, args);
  return { name, seconds, output: code === 0 ? '' : output || `${tool} ended with ${code}\n` };
}

async function checkTypes(): Promise<Finding> {
  // The tests' types build on the declarations of the rooms, so both are one build.
  return checkWith('types', 'tsc', ['-b', join(ROOT, 'tsconfig.json'), join(ROOT, 'test', 'tsconfig.json')]);
}

async function checkRooms(): Promise<Finding> {
  const startedAt = performance.now();
  const lines = findBreaches(ROOT).map(({ file, specifier, problem }) => `${file}: '${specifier}': ${problem}\n`);
  return { name: 'rooms', seconds: (performance.now() - startedAt) / 1000, output: lines.join('') };
}

const findings = await Promise.all([
  checkTypes(),
  checkWith('lint', 'oxlint', ['--type-aware', '--deny-warnings']),
  checkWith('format', 'oxfmt', ['--check']),
  checkRooms(),
]);

for (const { name, seconds, output } of findings) {
  process.stdout.write(`${output === '' ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${seconds.toFixed(1)} s\n`);
  if (output !== '') process.stdout.write(`${output.trimEnd()}\n\n`);
}
process.exitCode = findings.some(({ output }) => output !== '') ? 1 : 0;
