import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import { readProfile, SOURCE_MAPS_OPTION } from '../read-profile.ts';

const GROUPINGS = ['function', 'file', 'package', 'category'] as const;
const SORTS = ['self', 'total'] as const;

const oneOf =
  <Choice extends string>(flag: string, choices: readonly Choice[]) =>
  (text: string): Choice => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new DroverError('DROVER_USAGE', {
      message: `${flag} ${JSON.stringify(text)}: write one of ${choices.join(', ')}.`,
    });
  };

const parseCount = (text: string): number => {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new DroverError('DROVER_USAGE', { message: `--top ${JSON.stringify(text)}: write a number from 1 to 999999.` });
};

export const command = defineCommand<{
  json?: boolean;
  by?: (typeof GROUPINGS)[number];
  sort?: (typeof SORTS)[number];
  top?: number;
  sourceMaps?: boolean;
}>({
  args: [{ syntax: '<file>', about: 'a CPU profile', offers: 'files' }],
  options: [
    {
      flags: '--by <what>',
      about: `add up by ${GROUPINGS.join(', ')} (default function)`,
      parse: oneOf('--by', GROUPINGS),
    },
    { flags: '--sort <by>', about: 'self or total time (default self)', parse: oneOf('--sort', SORTS) },
    { flags: '--top <n>', about: 'as many rows (default 20; with --json all)', parse: parseCount },
    SOURCE_MAPS_OPTION,
    JSON_OPTION,
  ],
  details:
    'Reads cpuprofile, pprof, speedscope, collapsed stacks and the output of `perf script`, compressed or not. Time is what passed between samples. Shares are of the time that the program was busy.',
  examples: [
    ['drover cpu top api.cpuprofile', 'what took the time, and along which stacks'],
    ['drover cpu top api.pb.gz --by package', 'which dependency took how much'],
  ],
  run: async (context, { args: [file = ''], options }) => {
    const { json = false, by = 'function', sort = 'self', top, sourceMaps } = options;
    const profile = await readProfile(context, file, { hasSourceMaps: sourceMaps !== false });
    const { describeTop } = await import('../../cpu/index.ts');
    const document = describeTop(profile, { by, sort, top: top ?? (json ? null : 20), paths: 3 });
    if (json) context.print(JSON.stringify(document));
    else {
      const { renderTop } = await import('../render/cpu-top.ts');
      context.endWithReader();
      context.print(renderTop(document, context));
    }
    return 0;
  },
});
