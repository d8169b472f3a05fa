import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Diagnosis, V8Log } from '../../cpu/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toFileError } from '../file-error.ts';
import { readProfile, SOURCE_MAPS_OPTION } from '../read-profile.ts';

interface Options {
  readonly log?: string;
  readonly strict?: boolean;
  readonly source?: boolean;
  readonly sourceMaps?: boolean;
  readonly json?: boolean;
}

export const command = defineCommand<Options>({
  args: [
    {
      syntax: '<file>',
      about: 'a CPU profile, a log of V8, or a heap snapshot; told apart by what is in it',
      offers: 'files',
    },
  ],
  options: [
    {
      flags: '--log <file>',
      about: 'V8’s log beside the profile (`node --log-deopt --log-ic --logfile=v8.log --no-logfile-per-isolate …`)',
    },
    { flags: '--strict', about: 'exit 1 where something is found, for CI' },
    { flags: '--no-source', about: 'do not read the files that the profile names' },
    SOURCE_MAPS_OPTION,
    JSON_OPTION,
  ],
  details:
    'Says what slows a service down, why it thinks so, where, and what to change: synchronous I/O, cryptography and compression on the event loop, JSON, regular expressions that backtrack, garbage collection, modules loaded while serving, stack traces, logging, work for a worker thread, searches in lists; with a log of V8 also deoptimisation loops and accesses that meet too many shapes. "Healthy" is an answer, and so is "too little to say". V8 has no frame for JSON, list methods and captured stacks: those need the source files, which are read from where the profile says they are. V8 writes nothing into its log while it profiles: take the log in a run of its own.',
  examples: [
    ['drover doctor api.cpuprofile', 'what to change'],
    ['drover doctor api.cpuprofile --log v8.log', 'the optimiser as well'],
    ['drover doctor api.cpuprofile --strict --json', 'in CI: exit 1 where something is found'],
  ],
  run: async (context, { args: [file = ''], options }) => {
    const kind = await findKind(context, file);
    if (kind === 'heap') return passToHeap(context, file, options);
    const diagnosis = kind === 'log' ? await judgeLog(context, file) : await judgeProfile(context, file, options);
    if (options.json) context.print(JSON.stringify({ file, ...diagnosis }));
    else {
      const { renderDiagnosis } = await import('../render/doctor.ts');
      context.endWithReader();
      context.print(renderDiagnosis(diagnosis, context));
    }
    return options.strict && diagnosis.findings.length > 0 ? 1 : 0;
  },
});

async function judgeProfile(context: CliContext, file: string, options: Options): Promise<Diagnosis> {
  const profile = await readProfile(context, file, { hasSourceMaps: options.sourceMaps !== false });
  const { diagnose, readSourceFiles } = await import('../../cpu/index.ts');
  const log = options.log === undefined ? null : await readLog(context, options.log);
  return diagnose(profile, { log, ...(options.source === false ? {} : { source: readSourceFiles() }) });
}

async function judgeLog(context: CliContext, file: string): Promise<Diagnosis> {
  const { diagnoseLog } = await import('../../cpu/index.ts');
  return diagnoseLog(await readLog(context, file));
}

async function readLog(context: CliContext, file: string): Promise<V8Log> {
  const { readV8Log } = await import('../../cpu/index.ts');
  const signal = context.interrupted();
  try {
    return await readV8Log(resolve(context.directory, file), { signal });
  } catch (error) {
    if (signal.aborted) throw new DroverError('DROVER_CANCELLED', { what: `Reading ${file}` }, { cause: error });
    throw toFileError(error, file);
  }
}

/** A snapshot is the business of the heap's own command, which is run with what it understands. */
async function passToHeap(context: CliContext, file: string, { json }: Options): Promise<number> {
  if (!json) context.note(`${file} is about memory: this is what \`drover heap analyze ${file}\` says of it.`);
  const { command: analyze } = await import('./heap-analyze.ts');
  return analyze.run(context, { args: [file], options: json ? { json } : {}, rest: [] });
}

const HEAD_BYTES = 4096;

async function findKind(context: CliContext, file: string): Promise<'profile' | 'log' | 'heap'> {
  const path = resolve(context.directory, file);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  // `doctor <app>` looks at what runs; that is planned, and a word without a file behind it is most likely meant so.
  if (!isThere && /^[\w-]+$/.test(file))
    throw new DroverError('DROVER_NOT_AVAILABLE', {
      what: `There is no file ${JSON.stringify(file)} here, and \`doctor <app>\``,
    });
  const head = await readHead(path, file);
  if (head.startsWith('v8-version,')) return 'log';
  if (/^\s*\{\s*"snapshot"\s*:/.test(head)) return 'heap';
  return /^\s*\{\s*"head"\s*:\s*\{\s*"callFrame"/.test(head) ? 'heap' : 'profile';
}

/** The first characters, decompressed. */
async function readHead(path: string, file: string): Promise<string> {
  const { openInput } = await import('../../cpu/index.ts');
  try {
    for await (const chunk of openInput(path, { chunkBytes: HEAD_BYTES }))
      return Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.byteLength, HEAD_BYTES)).toString('latin1');
  } catch (error) {
    throw toFileError(error, file);
  }
  return '';
}
