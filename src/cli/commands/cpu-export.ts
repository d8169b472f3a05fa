import { basename, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand } from '../command.ts';
import { readProfile, SOURCE_MAPS_OPTION } from '../read-profile.ts';
import { assertWritable, writeWhole } from '../write-whole.ts';

const FORMATS = ['pprof', 'speedscope', 'collapsed', 'cpuprofile'] as const;
type Format = (typeof FORMATS)[number];

const parseFormat = (text: string): Format => {
  const format = FORMATS.find((candidate) => candidate === text);
  if (format !== undefined) return format;
  throw new DroverError('DROVER_USAGE', {
    message: `--to ${JSON.stringify(text)}: write one of ${FORMATS.join(', ')}.`,
  });
};

export const command = defineCommand<{ to?: Format; output?: string; sourceMaps?: boolean }>({
  args: [{ syntax: '<file>', about: 'a CPU profile', offers: 'files' }],
  options: [
    { flags: '--to <format>', about: `one of ${FORMATS.join(', ')}`, parse: parseFormat },
    { flags: '-o, --output <file>', about: 'the file to write; `-` for standard output' },
    SOURCE_MAPS_OPTION,
  ],
  details: 'pprof is written compressed. Formats without an order in time (pprof, collapsed) keep sums only.',
  examples: [
    ['drover cpu export api.cpuprofile --to pprof -o api.pb.gz', 'for `go tool pprof` and Pyroscope'],
    ['drover cpu export api.cpuprofile --to collapsed -o - | flamegraph.pl > api.svg', 'for classic flame graphs'],
  ],
  run: async (context, { args: [file = ''], options }) => {
    const { to, output, sourceMaps } = options;
    if (to === undefined)
      throw new DroverError('DROVER_USAGE', { message: `--to is missing: one of ${FORMATS.join(', ')}.` });
    if (output === undefined)
      throw new DroverError('DROVER_USAGE', { message: '-o is missing: the file to write, or `-`.' });
    const path = resolve(context.directory, output);
    if (output !== '-') await assertWritable(path, output, [resolve(context.directory, file)]);
    const profile = await readProfile(context, file, { hasSourceMaps: sourceMaps !== false });
    const { exportProfile } = await import('../../cpu/index.ts');
    const parts = exportProfile(profile, to, { name: basename(file) });
    if (output === '-') {
      context.endWithReader();
      await pipeline(Readable.from(parts, { objectMode: false }), process.stdout, { end: false });
      return 0;
    }
    await writeWhole(path, parts, output, context.interrupted());
    return 0;
  },
});
