/** Writes pprof, compressed, through its codec (`pprof-format`): counts of samples and nanoseconds, as Go's tools expect them. */
import { gzipSync } from 'node:zlib';
import { Function as PprofFunction, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import type { CpuProfile } from '../model/profile.ts';
import { stackOf } from './stacks.ts';

export function writePprof(profile: CpuProfile): Uint8Array {
  const { functions, nodeCount, selfUs, hits, unit, durationUs } = profile;
  const strings = new StringTable();
  const isTime = unit === 'microseconds';
  const kind = isTime ? ['wall', 'nanoseconds'] : unit === 'bytes' ? ['space', 'bytes'] : ['samples', 'count'];
  const valueType = new ValueType({ type: strings.dedup(kind[0] as string), unit: strings.dedup(kind[1] as string) });
  const countType = new ValueType({ type: strings.dedup('samples'), unit: strings.dedup('count') });
  const toValue = (weight: number): number => Math.round(isTime ? weight * 1000 : weight);
  const sample: Sample[] = [];
  for (let node = 0; node < nodeCount; node += 1) {
    const count = hits[node] as number;
    const value = toValue(selfUs[node] as number);
    if (value === 0 && count === 0) continue;
    // The root alone still needs a place to lie at.
    const stack = node === 0 ? [profile.functionOf[0] as number] : stackOf(profile, node);
    const locationId = stack.reverse().map((fn) => fn + 1);
    sample.push(new Sample({ locationId, value: unit === 'samples' ? [value] : [count, value] }));
  }
  const encoded = new Profile({
    sampleType: unit === 'samples' ? [valueType] : [countType, valueType],
    sample,
    location: functions.map(
      ({ line, column }, index) =>
        new Location({ id: index + 1, line: [new Line({ functionId: index + 1, line, column })] }),
    ),
    function: functions.map(
      ({ name, url, line }, index) =>
        new PprofFunction({
          id: index + 1,
          name: strings.dedup(name),
          // A name equal to the system's is one of C++ to Go's tools, which cut what stands in `<>` or `()` out of it.
          systemName: strings.dedup(''),
          filename: strings.dedup(url),
          startLine: line,
        }),
    ),
    stringTable: strings,
    durationNanos: isTime ? toValue(durationUs) : 0,
    periodType: valueType,
    period: profile.sampleCount === null ? 1 : Math.max(1, toValue(durationUs / Math.max(profile.sampleCount, 1))),
    defaultSampleType: strings.dedup(kind[0] as string),
  }).encode();
  return gzipSync(encoded);
}
