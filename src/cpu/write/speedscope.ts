/** Writes speedscope's format: sampled, in time where the profile has one, else one stack per node with time. */
import type { CpuProfile } from '../model/profile.ts';
import { listWeighted, stackOf } from './stacks.ts';

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';
const PART_LENGTH = 64 * 1024;

/** `name` is what speedscope shows in its title. */
export function* writeSpeedscope(profile: CpuProfile, name: string): Generator<string, void, undefined> {
  const { functions, isChronological, samples, selfUs, durationUs } = profile;
  const unit = profile.unit === 'samples' ? 'none' : profile.unit;
  const frames = functions.map(({ name: frame, url, line, column }) => ({
    name: frame,
    ...(url === '' ? {} : { file: url }),
    ...(line === 0 ? {} : { line }),
    ...(column === 0 ? {} : { col: column }),
  }));
  yield `{"$schema":${JSON.stringify(SCHEMA)},"exporter":"drover","name":${JSON.stringify(name)},`;
  yield '"activeProfileIndex":0,"shared":{"frames":[';
  yield* join(frames.length, (index) => JSON.stringify(frames[index]));
  yield `]},"profiles":[{"type":"sampled","name":${JSON.stringify(name)},"unit":"${unit}","startValue":0,`;
  yield `"endValue":${durationUs},"samples":[`;
  if (isChronological) {
    const stacks = new Map<number, string>();
    yield* join(samples.count, (index) => {
      const node = samples.node[index] as number;
      const stack = stacks.get(node) ?? JSON.stringify(stackOf(profile, node));
      stacks.set(node, stack);
      return stack;
    });
    yield '],"weights":[';
    yield* join(samples.count, (index) => String(samples.durationUs[index]));
  } else {
    const nodes = [...listWeighted(profile)];
    yield* join(nodes.length, (index) => JSON.stringify(stackOf(profile, nodes[index] as number)));
    yield '],"weights":[';
    yield* join(nodes.length, (index) => String(selfUs[nodes[index] as number]));
  }
  yield ']}]}';
}

function* join(count: number, textOf: (index: number) => string): Generator<string, void, undefined> {
  let part = '';
  for (let index = 0; index < count; index += 1) {
    part += index === 0 ? textOf(index) : `,${textOf(index)}`;
    if (part.length < PART_LENGTH) continue;
    yield part;
    part = '';
  }
  yield part;
}
