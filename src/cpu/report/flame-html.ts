/** A flame graph of profiles as one HTML file that works offline; with an earlier version beside it, what has changed. */
import { type Category, CATEGORIES, type CpuProfile } from '../model/profile.ts';
import {
  type FlameGroup,
  type FlameLabel,
  type FlameModel,
  type FlameTimeline,
  type FlameTree,
  pruneTimeline,
  pruneTree,
  renderFlamePage,
  sumTotals,
} from '../../view/index.ts';
import { markOutermost } from '../passes/totals.ts';
import { compareProfiles, type ComparedFunction } from '../compare/compare.ts';
import { measureWindow } from '../compare/window.ts';
import { FlameLabels } from './flame-labels.ts';
import { MergedTree } from './merged-tree.ts';

export interface FlameOptions {
  readonly title: string;
  /** What the two sides are called; of a plain graph only the second is used. */
  readonly names: readonly [before: string, after: string];
  /** At most about so many frames; the thinnest branches are merged. 150,000 unless told. */
  readonly mostFrames?: number;
}

/** A profile, and which run of the process it is from (`listProfiles` tells); null where nobody knows. */
export interface FlameWindow {
  readonly profile: CpuProfile;
  readonly launch: string | null;
}

const MOST_FRAMES = 150_000;
const MOST_SPANS = 300_000;

/** Places in the palette of `view`: what belongs together has a hue, what is less of interest is grey. */
const SWATCHES: Readonly<Record<Category, number>> = {
  application: 0,
  dependency: 1,
  node: 2,
  gc: 3,
  idle: 4,
  program: 5,
  regexp: 6,
  json: 7,
  crypto: 8,
  'module-loading': 9,
  compilation: 10,
  native: 11,
};
const SMALLER = '(smaller)';

/**
 * One file without anything from elsewhere. Several profiles of a side are windows of one service and add up; only a
 * single one has an order in time. With `before`, frames show what has changed, and functions are compared as by
 * `compareProfiles`. Throws a RangeError where a side has no profile or nothing but idle time, or where units differ.
 */
export function renderFlameHtml(
  after: readonly FlameWindow[],
  before: readonly FlameWindow[] | null,
  options: FlameOptions,
): string {
  return renderFlamePage(describeFlame(after, before, options));
}

/** What `renderFlameHtml` shows, before it is text. */
export function describeFlame(
  after: readonly FlameWindow[],
  before: readonly FlameWindow[] | null,
  { title, names, mostFrames = MOST_FRAMES }: FlameOptions,
): FlameModel {
  const all = [...(before ?? []), ...after].map(({ profile }) => profile);
  const [first] = after;
  if (first === undefined || before?.length === 0) throw new RangeError('there is no profile');
  const { unit } = first.profile;
  if (all.some((profile) => profile.unit !== unit)) throw new RangeError('the profiles count in different units');
  const comparison = before === null ? null : compareProfiles(before.map(measure), after.map(measure));
  const labels = new FlameLabels(comparison?.functions ?? []);
  const merged = new MergedTree(before !== null, (side, fn) => labels.labelOf(side, fn));
  const places = after.map(({ profile }) => merged.add(profile, 'after'));
  for (const { profile } of before ?? []) merged.add(profile, 'before');
  const whole = merged.finish();
  const smallerLabel = labels.list.length;
  const { tree, placeOf, mergedCount, leastShare } = pruneTree(whole, { leastShare: 0, mostFrames, smallerLabel });
  const notes = [...(comparison?.notes ?? []), ...new Set(all.flatMap((profile) => profile.notes))];
  if (mergedCount > 0) notes.push(describeMerged(mergedCount, leastShare));
  const isOne = before === null && after.length === 1;
  return {
    title,
    subtitle: describeSides(after, before, names, merged.idle),
    unit,
    groups: CATEGORIES.map((name): FlameGroup => ({ name, swatch: SWATCHES[name] })).concat({
      name: 'merged',
      swatch: 5,
    }),
    labels: makeLabels(labels, whole),
    tree,
    timeline: isOne ? findTimeline(first.profile, places[0], placeOf, notes) : null,
    sides: before === null ? null : names,
    notes,
  };
}

const measure = ({ profile, launch }: FlameWindow): ReturnType<typeof measureWindow> => measureWindow(profile, launch);

function findTimeline(
  profile: CpuProfile,
  placeInWhole: Uint32Array | undefined,
  placeOf: Uint32Array,
  notes: string[],
): FlameTimeline | null {
  if (!profile.isChronological || placeInWhole === undefined) return null;
  const { count, node, durationUs } = profile.samples;
  const { timeline, slotDuration } = pruneTimeline(
    count,
    (at) => placeInWhole[node[at] as number] as number,
    (at) => durationUs[at] as number,
    placeOf,
    MOST_SPANS,
  );
  if (slotDuration > 0)
    notes.push(`In order of time, what ran longest in each ${(slotDuration / 1000).toFixed(2)} ms is shown.`);
  return timeline;
}

const describeMerged = (count: number, share: number): string =>
  `${count.toLocaleString('en')} frames of less than ${(share * 100).toPrecision(2)} % each were merged into frames called “${SMALLER}”; sums are what they were.`;

function makeLabels({ list }: FlameLabels, whole: FlameTree): FlameLabel[] {
  const after = sumLabels(whole, whole.self, list.length);
  const before = whole.selfBefore === null ? null : sumLabels(whole, whole.selfBefore, list.length);
  const labels = list.map(({ fn, change }, label): FlameLabel => ({
    name: fn.name,
    file: fn.url,
    line: fn.line,
    column: fn.column,
    group: CATEGORIES.indexOf(fn.category),
    note: fn.package ?? '',
    self: after.self[label] as number,
    total: after.total[label] as number,
    change:
      before === null
        ? null
        : {
            selfBefore: before.self[label] as number,
            totalBefore: before.total[label] as number,
            q: change?.q ?? null,
            isSignificant: change === null || change.q === null ? null : change.isChanged,
            note: describeEffect(change),
          },
  }));
  const nothing = before === null ? null : { selfBefore: 0, totalBefore: 0, q: null, isSignificant: null, note: '' };
  labels.push({
    name: SMALLER,
    file: '',
    line: 0,
    column: 0,
    group: CATEGORIES.length,
    note: '',
    self: 0,
    total: 0,
    change: nothing,
  });
  return labels;
}

/** `12.3 % more for the same work of its callers (8.1 to 16.7 %)`. */
function describeEffect(change: ComparedFunction | null): string {
  if (change === null || change.effect === null) return '';
  const percent = (part: number): string => (part * 100).toFixed(1);
  const size = `${percent(Math.abs(change.effect))} % ${change.effect < 0 ? 'less' : 'more'} for the same work of its callers`;
  if (change.interval === null) return size;
  const [low, high] = change.interval;
  return `${size} (95 %: ${percent(low)} to ${percent(high)} %)`;
}

/** Own and whole weight of each label; a label below itself counts once. */
function sumLabels(
  tree: FlameTree,
  weights: Float64Array,
  labelCount: number,
): { self: Float64Array; total: Float64Array } {
  const self = new Float64Array(labelCount);
  const total = new Float64Array(labelCount);
  const totals = sumTotals(tree.parent, weights);
  const itself = Uint32Array.from({ length: labelCount }, (_, label) => label);
  const nodes = { nodeCount: tree.count, parent: tree.parent, functionOf: tree.labelOf };
  const isOutermost = markOutermost(nodes, itself, labelCount);
  for (let node = 0; node < tree.count; node += 1) {
    const label = tree.labelOf[node] as number;
    self[label] = (self[label] as number) + (weights[node] as number);
    if (isOutermost[node] === 1) total[label] = (total[label] as number) + (totals[node] as number);
  }
  return { self, total };
}

function describeSides(
  after: readonly FlameWindow[],
  before: readonly FlameWindow[] | null,
  [nameBefore, nameAfter]: readonly [string, string],
  idle: MergedTree['idle'],
): string {
  const of = (side: readonly FlameWindow[], idleWeight: number): string => {
    const add = (pick: (profile: CpuProfile) => number): number =>
      side.reduce((sum, { profile }) => sum + pick(profile), 0);
    const parts: string[] = [];
    if (side[0]?.profile.unit === 'microseconds') {
      const seconds = (us: number): string => `${(us / 1e6).toFixed(2)} s`;
      parts.push(`${seconds(add(({ selfUs }) => selfUs.reduce((a, b) => a + b, 0)) - idleWeight)} of work`);
      if (idleWeight >= 5000) parts.push(`${seconds(idleWeight)} idle (left out)`);
    }
    const samples = add(({ sampleCount }) => sampleCount ?? 0);
    if (samples > 0) parts.push(`${samples.toLocaleString('en')} samples`);
    if (side.length > 1) parts.push(`${side.length} windows`);
    return parts.join(', ');
  };
  const ofAfter = `${nameAfter}: ${of(after, idle.after)}`;
  return before === null ? ofAfter : `${nameBefore}: ${of(before, idle.before)} → ${ofAfter}`;
}
