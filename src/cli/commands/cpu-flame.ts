import { basename, dirname, resolve } from 'node:path';
import type { FlameWindow, ProfileFile } from '../../cpu/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toFileError } from '../file-error.ts';
import { readProfile, SOURCE_MAPS_OPTION } from '../read-profile.ts';
import { formatBytes } from '../render/values.ts';
import { assertWritable, writeWhole } from '../write-whole.ts';

export const command = defineCommand<{ output?: string; title?: string; sourceMaps?: boolean; json?: boolean }>({
  args: [
    { syntax: '<file>', about: 'a CPU profile, or a folder of windows; of two, the version before', offers: 'files' },
    { syntax: '[after]', about: 'the version after, to see what has changed', offers: 'files' },
  ],
  options: [
    {
      flags: '-o, --output <file>',
      about: 'the file to write (default: <name>.flame.html here); `-` for standard output',
    },
    { flags: '--title <text>', about: 'title of the page' },
    SOURCE_MAPS_OPTION,
    JSON_OPTION,
  ],
  details:
    'The page works offline, in light and dark, and asks nothing of the network. It shows the calls with the heaviest on the left, in order of time, and inverted (what takes the time first, callers below it). Of two versions it shows the share of each frame before and after; whether a change is more than noise can be said of folders with several windows a side, as by `cpu diff`.',
  examples: [
    ['drover cpu flame api.cpuprofile', 'writes api.flame.html'],
    ['drover cpu flame profiles/v41 profiles/v42 -o change.html', 'what the new version made slower'],
  ],
  run: async (context, { args: [file = '', after], options }) => {
    const hasSourceMaps = options.sourceMaps !== false;
    const output =
      options.output ?? `${[file, ...(after === undefined ? [] : [after])].map(stemOf).join('-')}.flame.html`;
    const path = resolve(context.directory, output);
    const sides = [await listSet(context, file), ...(after === undefined ? [] : [await listSet(context, after)])];
    if (output !== '-')
      await assertWritable(
        path,
        output,
        sides.flat().map((window) => window.path),
      );
    const [first = [], second = null] = await readSets(context, sides, hasSourceMaps);
    const names = nameSides(file, after);
    const { renderFlameHtml } = await import('../../cpu/index.ts');
    const title = options.title ?? (after === undefined ? `Flame graph of ${names[1]}` : `${names[0]} → ${names[1]}`);
    const html = tellRange(after ?? file, () =>
      second === null
        ? renderFlameHtml(first, null, { title, names })
        : renderFlameHtml(second, first, { title, names }),
    );
    if (output === '-') {
      context.print(html);
      return 0;
    }
    await writeWhole(path, [html], output, context.interrupted());
    const bytes = Buffer.byteLength(html);
    if (options.json) context.print(JSON.stringify({ path, bytes }));
    else context.print(`Wrote ${output} (${formatBytes(bytes)}).`);
    return 0;
  },
});

/** One file, or all windows of a folder. */
async function listSet(context: CliContext, path: string): Promise<readonly ProfileFile[]> {
  const { listProfiles } = await import('../../cpu/index.ts');
  try {
    return await listProfiles(resolve(context.directory, path));
  } catch (error) {
    throw toFileError(error, path);
  }
}

async function readSets(
  context: CliContext,
  sides: readonly (readonly ProfileFile[])[],
  hasSourceMaps: boolean,
): Promise<FlameWindow[][]> {
  const sets: FlameWindow[][] = [];
  for (const files of sides) {
    const windows: FlameWindow[] = [];
    for (const { path, launch } of files)
      windows.push({ profile: await readProfile(context, path, { hasSourceMaps }), launch });
    sets.push(windows);
  }
  return sets;
}

/** What cannot be shown of files that could be read: nothing but idle time, units that differ. */
function tellRange(file: string, render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DroverError('DROVER_FILE_INVALID', { file, where: null, what: error.message }, { cause: error });
  }
}

/** `api` of `profiles/api.cpuprofile.gz`. */
const stemOf = (file: string): string => basename(resolve(file)).replace(/(?<=.)\.[a-z].*$/iu, '') || 'profile';

/** Names of files, with their folders where they are called alike. */
function nameSides(file: string, after: string | undefined): readonly [before: string, after: string] {
  const paths = [resolve(file), resolve(after ?? file)] as const;
  const [one, other] = [basename(paths[0]), basename(paths[1])];
  if (after === undefined || one !== other) return [one, other];
  const [folder, otherFolder] = [basename(dirname(paths[0])), basename(dirname(paths[1]))];
  return folder === otherFolder
    ? [`${one} (before)`, `${other} (after)`]
    : [`${folder}/${one}`, `${otherFolder}/${other}`];
}
