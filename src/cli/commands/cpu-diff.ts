import { resolve } from 'node:path';
import type { ProfileWindow } from '../../cpu/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toFileError } from '../file-error.ts';
import { SOURCE_MAPS_OPTION } from '../read-profile.ts';

/** `5%` or `0.05`. */
const parsePart =
  (flag: string) =>
  (text: string): number => {
    const [, number, sign] = /^(\d{1,3}(?:\.\d{1,6})?)\s?(%?)$/u.exec(text) ?? [];
    const part = Number(number) / (sign === '%' ? 100 : 1);
    if (number !== undefined && part < 1) return part;
    throw new DroverError('DROVER_USAGE', {
      message: `${flag} ${JSON.stringify(text)}: write a part below 1, such as 0.05 or 5%.`,
    });
  };

export const command = defineCommand<{
  json?: boolean;
  minEffect?: number;
  minShare?: number;
  fdr?: number;
  sourceMaps?: boolean;
  failOnRegression?: boolean;
}>({
  args: [
    { syntax: '<before>', about: 'a CPU profile, or a folder of them', offers: 'files' },
    { syntax: '<after>', about: 'a CPU profile, or a folder of them', offers: 'files' },
  ],
  options: [
    {
      flags: '--min-effect <part>',
      about: 'least change that is reported (default 3%)',
      parse: parsePart('--min-effect'),
    },
    {
      flags: '--min-share <part>',
      about: 'least part of CPU time that a function must take to be tested (default 0.5%)',
      parse: parsePart('--min-share'),
    },
    {
      flags: '--fdr <part>',
      about: 'part of the reported functions that may be there by chance (default 3%)',
      parse: parsePart('--fdr'),
    },
    { flags: '--fail-on-regression', about: 'end with 1 where a function takes more' },
    SOURCE_MAPS_OPTION,
    JSON_OPTION,
  ],
  details:
    'Compares two sets of CPU profiles of a service: which functions take more or less of the processor for the same work, beyond what the windows of each set differ among themselves. It wants several windows of each version, ten of half a minute or more, best of as many launches; a folder below a set is a launch. Of single profiles it lists the differences and tests none. It ends with 0 whatever it found, unless told otherwise.',
  examples: [
    ['drover cpu diff profiles/v41 profiles/v42', 'what the new version made slower, by function'],
    ['drover cpu diff before after --fail-on-regression', 'for CI'],
  ],
  run: async (context, { args: [before = '', after = ''], options }) => {
    const { json = false, sourceMaps, failOnRegression = false } = options;
    const { COMPARE_DEFAULTS, compareProfiles, describeDiff } = await import('../../cpu/index.ts');
    const chosen = {
      minEffect: options.minEffect ?? COMPARE_DEFAULTS.minEffect,
      minShare: options.minShare ?? COMPARE_DEFAULTS.minShare,
      falseDiscoveryRate: options.fdr ?? COMPARE_DEFAULTS.falseDiscoveryRate,
    };
    const a = await readSet(context, before, sourceMaps !== false);
    const b = await readSet(context, after, sourceMaps !== false);
    const document = describeDiff(compareProfiles(a, b, chosen), chosen);
    if (json) context.print(JSON.stringify(document));
    else {
      const { renderDiff } = await import('../render/cpu-diff.ts');
      context.endWithReader();
      context.print(renderDiff(document, context));
    }
    return failOnRegression && document.changed.some(({ effect }) => (effect ?? 0) > 0) ? 1 : 0;
  },
});

async function readSet(context: CliContext, path: string, hasSourceMaps: boolean): Promise<ProfileWindow[]> {
  const { listProfiles, readWindows, SourceMaps } = await import('../../cpu/index.ts');
  const signal = context.interrupted();
  let isShown = false;
  try {
    const files = await listProfiles(resolve(context.directory, path));
    const onFile = (_: string, index: number): void => {
      if (!context.isInteractive || files.length < 2) return;
      isShown = true;
      context.draw(`\rreading ${path}: ${index + 1} of ${files.length}\u001B[K`);
    };
    const sourceMaps = hasSourceMaps ? { sourceMaps: new SourceMaps() } : {};
    const windows = await readWindows(files, { signal, onFile, ...sourceMaps });
    if (windows.every(({ onCpuTicks }) => onCpuTicks === 0))
      throw new DroverError('DROVER_FILE_INVALID', { file: path, where: null, what: 'nothing but idle time is in it' });
    return windows;
  } catch (error) {
    if (signal.aborted) throw new DroverError('DROVER_CANCELLED', { what: `Reading ${path}` }, { cause: error });
    throw toFileError(error, path);
  } finally {
    if (isShown) context.draw('\r\u001B[K');
  }
}
