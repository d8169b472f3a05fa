/**
 * Durations of samples from the times between them. A sample lasts until the next one. The last one lasts as long as the
 * file says by one time more than samples, else as long as the others on average: both are DevTools' rules. The time
 * after it, in which nobody looked, is left out.
 */
import { BadFile, type NumberColumn } from '../../input/index.ts';
import { MAX_US } from './raw-profile.ts';

export interface TimedSamples {
  readonly node: Uint32Array;
  readonly durationUs: Uint32Array | Float64Array;
  readonly totalUs: number;
  /** How many stood before a sample that is older. */
  readonly outOfOrder: number;
}

/**
 * `node` per sample and the microseconds between a sample and the one before (the first: since the start). Uses the
 * columns' own memory where it can: a big profile would need it twice. `endUs` is the end since the start, for a profile
 * of one sample.
 */
export function timeSamples(node: Uint32Array, deltas: NumberColumn, endUs: number, file: string): TimedSamples {
  const count = node.length;
  const { values } = deltas;
  if (count === 0) return { node, durationUs: new Uint32Array(0), totalUs: 0, outOfOrder: 0 };
  let totalUs = 0;
  let outOfOrder = 0;
  for (let index = 1; index < deltas.count; index += 1) {
    const delta = values[index] as number;
    if (delta < 0) outOfOrder += 1;
    totalUs += delta;
    if (!(Math.abs(totalUs) <= MAX_US))
      throw new BadFile({ file, where: `timeDeltas[${index}]`, what: `a time of ${totalUs} µs is no time` });
  }
  if (deltas.count > count && outOfOrder === 0) {
    const durationUs =
      values instanceof Int32Array ? new Uint32Array(values.buffer, 4, count) : values.subarray(1, count + 1);
    return { node, durationUs, totalUs, outOfOrder };
  }
  if (count === 1) {
    const rest = endUs - (values[0] as number);
    const lastUs = rest >= 0 && rest <= MAX_US ? rest : 0;
    return { node, durationUs: Float64Array.of(lastUs), totalUs: lastUs, outOfOrder };
  }
  return outOfOrder === 0 ? shiftDeltas(node, values, totalUs) : sortSamples(node, values, outOfOrder);
}

function shiftDeltas(node: Uint32Array, values: Int32Array | Float64Array, totalUs: number): TimedSamples {
  const count = node.length;
  const lastUs = Math.round(totalUs / (count - 1));
  values.copyWithin(0, 1, count);
  // The average is between the others: what holds them holds it.
  values[count - 1] = lastUs;
  const durationUs =
    values instanceof Int32Array ? new Uint32Array(values.buffer, 0, count) : values.subarray(0, count);
  return { node, durationUs, totalUs: totalUs + lastUs, outOfOrder: 0 };
}

/** Stable, so that samples of one time stay as they were. */
function sortSamples(node: Uint32Array, values: Int32Array | Float64Array, outOfOrder: number): TimedSamples {
  const count = node.length;
  const atUs = new Float64Array(count);
  for (let index = 1; index < count; index += 1) atUs[index] = (atUs[index - 1] as number) + (values[index] as number);
  const order = Uint32Array.from(atUs.keys()).sort((a, b) => (atUs[a] as number) - (atUs[b] as number) || a - b);
  const sorted = new Uint32Array(count);
  const durationUs = new Float64Array(count);
  const at = (index: number): number => atUs[order[index] as number] as number;
  for (let index = 0; index < count; index += 1) {
    sorted[index] = node[order[index] as number] as number;
    if (index + 1 < count) durationUs[index] = at(index + 1) - at(index);
  }
  const spanUs = at(count - 1) - at(0);
  const lastUs = Math.round(spanUs / (count - 1));
  durationUs[count - 1] = lastUs;
  return { node: sorted, durationUs, totalUs: spanUs + lastUs, outOfOrder };
}
