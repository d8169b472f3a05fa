/** Records a program and has it judged, as `drover doctor` does: with the source and, where there is one, V8's log. */
import { join } from 'node:path';
import {
  type Diagnosis,
  diagnose,
  type Finding,
  readCpuProfile,
  readSourceFiles,
  readV8Log,
} from '../../src/cpu/index.ts';
import { readLoad, record } from './record.ts';
import type { Case } from './truth.ts';

export interface JudgeOptions {
  readonly node?: string;
  /** For the files that are recorded; the caller removes it. */
  readonly folder: string;
  readonly loadMs?: number;
}

export async function judgeProgram(program: string, { folder, ...rest }: JudgeOptions): Promise<Diagnosis> {
  const name = program
    .split('/')
    .slice(-3)
    .join('~')
    .replace(/\.mjs$/, '');
  const { profile, log } = await record({
    program,
    load: await readLoad(program),
    folder: join(folder),
    name,
    ...rest,
  });
  return diagnose(await readCpuProfile(profile), {
    source: readSourceFiles(),
    log: log === null ? null : await readV8Log(log),
  });
}

/** Why the finding that should be there is not, or is not right; null where it is. */
export function findFault({ id, functions, lines, file }: Case, { findings }: Diagnosis): string | null {
  const own = findings.filter((finding) => finding.id === id);
  if (own.length === 0) return `no ${id}; found: ${findings.map(describe).join(', ') || 'nothing'}`;
  const isRight = ({ where }: Finding): boolean =>
    where !== null &&
    where.url.endsWith(file) &&
    functions.includes(where.name) &&
    (lines.length === 0 || lines.includes(where.hotLine ?? where.line));
  return own.some(isRight) ? null : `${id} at another place: ${own.map(describe).join(', ')}`;
}

export const describe = ({ id, where, share }: Finding): string =>
  `${id} at ${where === null ? 'no place' : `${where.url.replace(/^.*\//, '')}:${where.hotLine ?? where.line} (${where.name})`}${share === null ? '' : `, ${(share * 100).toFixed(0)} %`}`;
