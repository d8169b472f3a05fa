/** Reads a CPU profile for a command: progress on a terminal, an end by Ctrl-C, and the errors of the catalogue. */
import { resolve } from 'node:path';
import type { CpuProfile } from '../cpu/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { OptionDefinition } from './command.ts';
import type { CliContext } from './context.ts';
import { toFileError } from './file-error.ts';

export const SOURCE_MAPS_OPTION: OptionDefinition = {
  flags: '--no-source-maps',
  about: 'leave functions where the profile has them',
};

/** `file` as typed, from where the caller stands. */
export async function readProfile(
  context: CliContext,
  file: string,
  { hasSourceMaps = true }: { readonly hasSourceMaps?: boolean } = {},
): Promise<CpuProfile> {
  const { readCpuProfile, SourceMaps } = await import('../cpu/index.ts');
  const signal = context.interrupted();
  let shown = -1;
  const onProgress = (readBytes: number, fileBytes: number): void => {
    const percent = Math.floor((readBytes / Math.max(fileBytes, 1)) * 100);
    // A small file is read before anybody could look.
    if (!context.isInteractive || fileBytes < 16_000_000 || percent === shown) return;
    shown = percent;
    context.draw(`\rreading ${file}: ${percent} %\u001B[K`);
  };
  try {
    const sourceMaps = hasSourceMaps ? { sourceMaps: new SourceMaps() } : {};
    return await readCpuProfile(resolve(context.directory, file), { signal, onProgress, ...sourceMaps });
  } catch (error) {
    if (signal.aborted) throw new DroverError('DROVER_CANCELLED', { what: `Reading ${file}` }, { cause: error });
    throw toFileError(error, file);
  } finally {
    if (shown !== -1) context.draw('\r\u001B[K');
  }
}
