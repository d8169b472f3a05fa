/** Which of the formats in JSON a file has is known when its fields have come; this reads all of them at once. */
import { any, array, BadFile, type JsonShape, object, readJson, WrongValue } from '../../input/index.ts';
import { CpuProfileReader } from './cpuprofile.ts';
import type { RawProfile } from './raw-profile.ts';
import { SpeedscopeReader } from './speedscope.ts';

/** Fields that only other files have, and what to do with those. */
const NEIGHBOURS: Readonly<Record<string, JsonShape>> = {
  snapshot: refuse('this is a heap snapshot, not a CPU profile: `drover heap analyze` reads it'),
  traceEvents: array(refuse('an event'), {
    onStart: () => {
      throw new WrongValue('this is a trace, not a CPU profile: save the profile of one thread as .cpuprofile');
    },
  }),
};

function refuse(what: string): JsonShape {
  return any(() => {
    throw new WrongValue(what);
  });
}

export async function readJsonProfile(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  remainingBytes: () => number | null,
): Promise<RawProfile> {
  const cpuProfile = new CpuProfileReader(file);
  const speedscope = new SpeedscopeReader(file);
  const shape = object({ ...cpuProfile.fields, ...speedscope.fields, ...NEIGHBOURS });
  await readJson(chunks, shape, { file, remainingBytes });
  if (cpuProfile.hasTree) return cpuProfile.finish();
  if (speedscope.hasProfiles) return speedscope.finish();
  throw new BadFile({
    file,
    where: null,
    what: 'JSON, but no CPU profile: it has neither `nodes` (cpuprofile) nor `profiles` (speedscope)',
  });
}
