/**
 * Durations of samples from the times between them. A sample lasts until the next one. The last one lasts as long as the
 * file says by one time more than samples, else as long as the others on average: both are DevTools' rules. The time
 * after it, in which nobody looked, is left out.
 */
import { BadFile, type NumberColumn } from '../../input/index.ts';
import { MAX_US } from './raw-profile.ts';
import { settleOrder } from './settle-order.ts';

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
  const outOfOrder = checkTimes(deltas, count, file);
  if (outOfOrder > 0 && !settleOrder(node, values, deltas.count)) return { ...sortSamples(node, values), outOfOrder };
  const hasLast = deltas.count > count && (values[count] as number) >= 0;
  if (hasLast) values.copyWithin(0, 1, count + 1);
  else values.copyWithin(0, 1, count);
  if (!hasLast) values[count - 1] = 0;
  let totalUs = 0;
  for (let index = 0; index < count; index += 1) totalUs += values[index] as number;
  if (!hasLast) {
    const rest = endUs - totalUs;
    const lastUs = count > 1 ? totalUs / (count - 1) : rest >= 0 && rest <= MAX_US ? rest : 0;
    // The average is between the others: what holds them holds it. The rest of a single sample may be longer.
    values[count - 1] = values instanceof Int32Array ? Math.min(Math.round(lastUs), 0x7fff_ffff) : Math.round(lastUs);
    totalUs += values[count - 1] as number;
  }
  const durationUs =
    values instanceof Int32Array ? new Uint32Array(values.buffer, 0, count) : values.subarray(0, count);
  return { node, durationUs, totalUs, outOfOrder };
}

/** Refuses times that are none; counts those that go back. */
function checkTimes({ values, count: all }: NumberColumn, count: number, file: string): number {
  let atUs = 0;
  let outOfOrder = 0;
  for (let index = 1; index < all; index += 1) {
    const delta = values[index] as number;
    if (delta < 0 && index < count) outOfOrder += 1;
    atUs += delta;
    if (!(Math.abs(atUs) <= MAX_US))
      throw new BadFile({ file, where: `timeDeltas[${index}]`, what: `a time of ${atUs} µs is no time` });
  }
  return outOfOrder;
}

/** For samples in wild disorder, at three times the memory. Stable, so that samples of one time stay as they were. */
function sortSamples(node: Uint32Array, values: Int32Array | Float64Array): Omit<TimedSamples, 'outOfOrder'> {
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
  return { node: sorted, durationUs, totalUs: spanUs + lastUs };
}
