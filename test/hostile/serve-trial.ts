/** The thread's side of `trial.ts`: plays the cases and says what came of them. */
import { parentPort, workerData } from 'node:worker_threads';
import { BadFile } from '../../src/input/index.ts';
import { Random } from '../simulation/random.ts';
import type { Mutated } from './mutate.ts';
import type { TrialRequest, TrialResult } from './trial.ts';

/** What one case may take in typed arrays and buffers, whatever its file says about itself. Files have some ten kilobytes. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_DEFECTS = 20;

interface Trial<Originals> {
  /** Damages one of the originals. */
  readonly mutate: (random: Random, originals: Originals) => Mutated;
  /** Reads it and does whatever is done with such files; throws `BadFile` where it cannot be understood. */
  readonly read: (bytes: Uint8Array) => Promise<void>;
}

export async function serveTrial<Originals>({ mutate, read }: Trial<Originals>): Promise<void> {
  const { request, current } = workerData as { readonly request: TrialRequest; readonly current: Int32Array };
  let understood = 0;
  let refused = 0;
  const defects: string[] = [];
  for (let number = request.from; number < request.to && defects.length < MOST_DEFECTS; number += 1) {
    Atomics.store(current, 0, number);
    const { what, bytes } = mutate(new Random(number), request.originals as Originals);
    const before = process.memoryUsage().arrayBuffers;
    try {
      await read(bytes);
      understood += 1;
    } catch (error) {
      if (error instanceof BadFile && error.what !== '') refused += 1;
      else defects.push(`case ${number} (${what}): ${error instanceof Error ? error.stack : String(error)}`);
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    if (grown > MOST_BYTES) defects.push(`case ${number} (${what}): took ${grown} bytes`);
  }
  const result: TrialResult = { understood, refused, defects };
  // The list of what is handed over; a port of a thread has no origins that the linter asks for.
  parentPort?.postMessage(result, []);
}
