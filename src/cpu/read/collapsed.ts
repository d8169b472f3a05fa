/**
 * Reads collapsed stacks, one a line, outermost frame first: `main;render;(garbage collector) 17`, as Brendan Gregg's
 * scripts, 0x, async-profiler and many others write them. What the number counts is not said there: samples, unless a
 * first line of ours says otherwise (`# unit: microseconds`).
 */
import { BadFile, readLines } from '../../input/index.ts';
import type { CpuProfile } from '../model/profile.ts';
import { NO_LINE_TICKS, NO_SAMPLES } from '../model/samples.ts';
import { StackBuilder } from '../model/stack-builder.ts';
import { parseFrame } from './frame-text.ts';
import { MAX_US, type RawProfile } from './raw-profile.ts';

const LINE = /^(.*\S)\s+([0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]{1,3})?)$/;
const UNIT = /^# unit: (microseconds|samples|bytes)$/;

export async function readCollapsed(chunks: AsyncIterable<Uint8Array>, file: string): Promise<RawProfile> {
  const builder = new StackBuilder();
  const functionOf = new Map<string, number>();
  let unit: CpuProfile['unit'] = 'samples';
  let total = 0;
  const addFrame = (text: string): number => {
    const known = functionOf.get(text);
    if (known !== undefined) return known;
    const { name, url, line, column } = parseFrame(text.trim());
    const index = builder.functions.add(name, url, line, column);
    functionOf.set(text, index);
    return index;
  };
  await readLines(
    chunks,
    (line, number) => {
      if (line.trim() === '') return;
      const [, stack, count] = LINE.exec(line) ?? [];
      // A private method (`#read`) may stand first in a line as well; a comment has no number at its end.
      if (stack === undefined && line.startsWith('#')) {
        unit = (UNIT.exec(line)?.[1] as CpuProfile['unit'] | undefined) ?? unit;
        return;
      }
      if (stack === undefined) {
        const what = `frames with semicolons between and a number at the end were expected, found ${JSON.stringify(line.slice(0, 60))}`;
        throw new BadFile({ file, where: `line ${number}`, what });
      }
      const weight = Number(count);
      total += weight;
      if (!(total <= MAX_US))
        throw new BadFile({ file, where: `line ${number}`, what: `a weight of ${count} is none` });
      let node = 0;
      for (const frame of stack.split(';')) node = builder.child(node, addFrame(frame));
      builder.add(node, weight, unit === 'samples' ? weight : 0);
    },
    { file },
  );
  if (total === 0) throw new BadFile({ file, where: null, what: 'there is not a single stack with a weight' });
  return {
    ...builder.finish(),
    functions: builder.functions,
    withoutFile: builder.functions.isFromV8 ? 'native' : 'application',
    lineTicks: NO_LINE_TICKS,
    samples: NO_SAMPLES,
    isChronological: false,
    sampleCount: unit === 'samples' ? total : null,
    durationUs: total,
    unit,
    deoptReasons: new Map(),
    notes: [],
  };
}
