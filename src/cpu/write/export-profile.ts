/** Writes a profile in the format of another tool. */
import type { CpuProfile } from '../model/profile.ts';
import { writeCollapsed } from './collapsed.ts';
import { writeCpuProfile } from './cpuprofile.ts';
import { writePprof } from './pprof.ts';
import { writeSpeedscope } from './speedscope.ts';

export const EXPORT_FORMATS = ['pprof', 'speedscope', 'collapsed', 'cpuprofile'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The file in parts, to be written one after another. `name` is shown by viewers that show one. */
export function exportProfile(
  profile: CpuProfile,
  format: ExportFormat,
  { name = 'profile' }: { readonly name?: string } = {},
): Iterable<string | Uint8Array> {
  switch (format) {
    case 'pprof':
      return [writePprof(profile)];
    case 'speedscope':
      return writeSpeedscope(profile, name);
    case 'collapsed':
      return writeCollapsed(profile);
    case 'cpuprofile':
      return writeCpuProfile(profile);
    default:
      return format satisfies never;
  }
}
