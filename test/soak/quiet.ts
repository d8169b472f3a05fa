/**
 * The quiet point at the end of a round: nothing is asked of Drover, and what it has open has not changed for a while.
 * Only there are counts of descriptors comparable.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { listChildren } from '../support/processes.ts';
import { type Census, countDescriptors } from './descriptors.ts';
import { countThreads } from './sampler.ts';

export interface Holdings {
  readonly pid: number;
  readonly descriptors: Census;
  readonly threads: number;
  /** Workers and guard of a daemon; a compressor is gone at a quiet point. */
  readonly children: number;
}

const LOOK_EVERY_MS = 250;
/** Longer than an idle connection to the API or the retries of a slow timer would take to show. */
const UNCHANGED_FOR_LOOKS = 8;
const AT_MOST_LOOKS = 80;

/** What these processes have; after 20 s of change, what they have then. */
export async function awaitQuiet(pids: readonly number[]): Promise<readonly Holdings[]> {
  let last = readHoldings(pids);
  let unchanged = 0;
  for (let look = 0; look < AT_MOST_LOOKS && unchanged < UNCHANGED_FOR_LOOKS; look += 1) {
    await wait(LOOK_EVERY_MS);
    const now = readHoldings(pids);
    unchanged = JSON.stringify(now) === JSON.stringify(last) ? unchanged + 1 : 0;
    last = now;
  }
  return last;
}

const readHoldings = (pids: readonly number[]): readonly Holdings[] =>
  pids.map((pid) => ({
    pid,
    descriptors: sorted(countDescriptors(pid)),
    threads: countThreads(pid),
    children: listChildren(pid).length,
  }));

/** In one order, whatever that of the descriptors is. */
const sorted = (census: Census): Census =>
  Object.fromEntries(Object.entries(census).toSorted(([a], [b]) => (a < b ? -1 : 1)));
