/**
 * The verdict: whether the process leaks, how sure that is, and who holds what leaks. `inconclusive` is an answer where
 * the snapshots cannot tell, and only there.
 */
import type { HeapComparison } from '../compare/compare-heaps.ts';
import type { GrowthReport, Place, StepGrowth } from '../compare/growth.ts';
import { labelOfNode } from '../compare/labels.ts';
import type { Territory } from '../compare/territory.ts';
import { NONE } from '../source/words.ts';
import { type Assessment, assessOnce, assessPlace } from './evidence.ts';
import { holderKey } from './holder.ts';
import { isLoading } from './loading.ts';
import { findFunction } from './nearby.ts';
import { sumOwned } from './owned.ts';
import { directClass } from './pattern.ts';
import { type PlaceOptions, Places } from './places.ts';
import { type Draft, draftSuspect, finishSuspect } from './suspects.ts';
import type { HeapSuspect, HeapVerdict } from './verdict.ts';
import { type Load, writeHeadline } from './words.ts';

export interface JudgeOptions extends PlaceOptions {
  /** How many suspects at most. */
  readonly most?: number;
  /** Work done in each step, so that growth can be told per unit of it. */
  readonly load?: Load;
}

/** All places of one holder. */
interface Judged {
  /** Of the places that gained, the largest first. */
  readonly drafts: readonly [Draft, ...Draft[]];
  /** Of all places together. */
  readonly steps: readonly StepGrowth[];
  readonly assessment: Assessment;
}

const MOST_SUSPECTS = 10;
/** Places looked at closely; the rest grew less than the least of these. */
const MOST_PLACES = 100;
const MOST_OTHERS = 2000;

/** Says what a comparison proves. */
export function judgeHeaps(comparison: HeapComparison, options: JudgeOptions = {}): HeapVerdict {
  const { growth } = comparison;
  if (growth === undefined) return judgeStrangers(comparison);
  const places = new Places(growth.last, options);
  const judged = judgePlaces(places, growth);
  const isThree = comparison.readings.length === 3;
  const leaks = judged.filter(({ assessment }) => assessment.evidence === 'grows');
  const { totals } = comparison;
  const reasons = [writeBasis(comparison), ...writeAside(judged, isThree)];

  if (leaks.length === 0) {
    const gained = isThree ? '' : undecided(judged);
    if (gained !== '') {
      return { verdict: 'inconclusive', confidence: 0.5, headline: gained, reasons, totals, suspects: [] };
    }
    const confidence = isThree ? 0.95 : 0.6;
    const headline = isThree
      ? 'nothing that a program keeps grew in both steps and stayed.'
      : 'nothing that a program keeps grew much between the two snapshots.';
    return { verdict: 'no-leak', confidence, headline, reasons, totals, suspects: [] };
  }
  const suspects = rank(places, growth, leaks, options.most ?? MOST_SUSPECTS);
  const confidence = Math.max(...leaks.map(({ assessment }) => assessment.confidence));
  return { verdict: 'leak', confidence, headline: writeHeadline(suspects, options.load), reasons, totals, suspects };
}

function judgePlaces(places: Places, growth: GrowthReport): Judged[] {
  const { territory } = growth;
  const earlier = growth.identities.at(-1)?.earlier as Uint32Array;
  const isNewScript = (script: number): boolean => earlier[script] === NONE;
  const total = sumGains(growth);
  const groups = new Map<string, { all: Place[]; drafts: Draft[] }>();
  const growing = growth.places
    .filter((place) => gained(place) && !isMachinery(territory, place))
    .slice(0, MOST_PLACES);
  for (const place of growing) {
    const draft = draftSuspect(places, territory, place);
    if (isLoading(places, territory, draft, isNewScript)) continue;
    // Each handle of the runtime is a place of its own; what they are of is one thing.
    const isRuntime = draft.named.holder.kind === 'runtime';
    const key = isRuntime ? draft.named.text : holderKey(places, territory.ownership, place);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { all: [place], drafts: [draft] });
    else {
      group.all.push(place);
      group.drafts.push(draft);
    }
  }
  // What one part of a holder lost, or gained before, counts for the whole.
  for (const place of growth.places.filter((place) => !gained(place)).slice(0, MOST_OTHERS)) {
    groups.get(holderKey(places, territory.ownership, place))?.all.push(place);
  }
  return [...groups.values()].map(({ all, drafts }) => {
    const steps = sumSteps(all);
    const isRemote = drafts.every((draft) => isOutsideProgram(territory, draft));
    const share = total === 0 ? 0 : lastStep(steps).bytes / total;
    const isStorage = directClass(drafts[0]?.place as Place) === '(storage)';
    const holders = drafts.reduce((sum, { place }) => sum + place.holders.length, 0);
    const assessment =
      steps.length === 2 ? assessPlace(steps, { isRemote, isStorage, holders }) : assessOnce(steps, share);
    return { drafts: drafts as [Draft, ...Draft[]], steps, assessment };
  });
}

const lastStep = (steps: readonly StepGrowth[]): StepGrowth => steps.at(-1) as StepGrowth;

const gained = ({ steps }: Place): boolean => lastStep(steps).count > 0 || lastStep(steps).bytes > 0;

const sumGains = ({ places }: GrowthReport): number =>
  places.reduce((sum, { steps }) => sum + Math.max(0, lastStep(steps).bytes), 0);

function sumSteps([first, ...others]: readonly Place[]): readonly StepGrowth[] {
  return (first as Place).steps.map((step, at) => {
    const sum = { ...step, byClass: new Map(step.byClass) };
    for (const { steps } of others) {
      const other = steps[at] as StepGrowth;
      sum.entries += other.entries;
      sum.count += other.count;
      sum.bytes += other.bytes;
      sum.born += other.born;
      sum.bornBytes += other.bornBytes;
      sum.survivors += other.survivors;
      for (const [name, gain] of other.byClass) sum.byClass.set(name, (sum.byClass.get(name) ?? 0) + gain);
    }
    // What went weighs against what came of the same class: entries that lost a part, a closed socket, are still entries.
    if (others.length > 0 && sum.bytes > 0) sum.entries = sumGained(sum.byClass);
    return sum;
  });
}

const sumGained = (byClass: ReadonlyMap<string, number>): number =>
  [...byClass.values()].reduce((sum, gain) => sum + Math.max(0, gain), 0);

/** Held by Node, and without any function of the program or of a package in it. */
const isOutsideProgram = (territory: Territory, { named, members }: Draft): boolean =>
  named.holder.kind === 'runtime' &&
  members.entries.every((entry) => findFunction(territory, entry, ['application', 'dependency']) === NONE);

/**
 * V8's own bookkeeping, of which programs can make none: lists of dependent code, of shapes and the like; and the tables
 * of weak collections, which hold nothing. What V8's parts hold for a program (a registry's cells) is the program's.
 */
function isMachinery({ reading }: Territory, { holdings, holder }: Place): boolean {
  const isWeak = holder !== NONE && /^Weak(?:Map|Set|Ref)$/.test(labelOfNode(reading, holder));
  return holdings.every(
    ({ className, count, entries }) =>
      (isWeak && className === '(storage)') ||
      (/^system \/ (?!PromiseReaction|Context|Cell)/.test(className) && count === entries),
  );
}

function rank(places: Places, growth: GrowthReport, leaks: readonly Judged[], most: number): HeapSuspect[] {
  const weight = ({ steps, assessment }: Judged): number => Math.max(lastStep(steps).bytes, 1) * assessment.confidence;
  const owned = sumOwned(growth.territory);
  const total = sumGains(growth);
  return leaks
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, most)
    .map(({ drafts, steps }, at) =>
      finishSuspect(places, growth.territory, drafts, steps, { rank: at + 1, total, owned }),
    );
}

function judgeStrangers(comparison: HeapComparison): HeapVerdict {
  const [first] = comparison.classes;
  const seen =
    first === undefined
      ? 'no class grew'
      : `the class that grew most is ${first.name}, ${first.counts.join(' → ')} objects`;
  return {
    verdict: 'inconclusive',
    confidence: 0.9,
    headline: `${comparison.whyNotByIdentity}. By class, ${seen}.`,
    reasons: [
      'Objects of different processes cannot be matched, so nothing can be said about what stayed and who holds it.',
      'Take two or three snapshots of one process: after a warm-up, after some load, and after the same load again.',
    ],
    totals: comparison.totals,
    suspects: [],
  };
}

function writeBasis({ readings, totals }: HeapComparison): string {
  const bytes = totals.bytes.map((sum) => `${(sum / 1e6).toFixed(1)} MB`).join(' → ');
  return readings.length === 3
    ? `Three snapshots of one process, ${bytes}.`
    : `Two snapshots of one process, ${bytes}; a third after the same load again would tell growth from warm-up.`;
}

/** What was seen and set aside, so that a reader can disagree. */
function writeAside(judged: readonly Judged[], isThree: boolean): string[] {
  const reasons: string[] = [];
  const WORDS: Partial<Record<Assessment['evidence'], string>> = {
    settles: 'grew in the first step and hardly in the second: it fills up or warms up',
    'turns-over': 'has more objects now, but those of the first step are gone: its contents are replaced',
    once: isThree ? 'grew in the last step only' : 'grew, but too little to be told from warm-up',
  };
  for (const [evidence, words] of Object.entries(WORDS)) {
    for (const { drafts } of judged.filter(({ assessment }) => assessment.evidence === evidence).slice(0, 3)) {
      reasons.push(`${capital(drafts[0].named.text)} ${words}.`);
    }
  }
  return reasons;
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** With two snapshots: why growth that was seen cannot be judged; empty when there was none to speak of. */
function undecided(judged: readonly Judged[]): string {
  const [most] = judged.filter(({ assessment }) => assessment.evidence === 'once');
  return most === undefined
    ? ''
    : `${most.drafts[0].named.text} grew, but two snapshots cannot tell a leak from a service that warms up.`;
}
