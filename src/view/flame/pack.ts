/** A model as JSON that is small enough to stand in a page, and back: strings once, columns as packed numbers. */
import { packNumbers, packWeights, unpackNumbers, unpackWeights, type PackedWeights } from './bytes.ts';
import type { FlameGroup, FlameLabel, FlameModel, FlameUnit } from './model.ts';

export interface PackedFlame {
  readonly title: string;
  readonly subtitle: string;
  readonly unit: FlameUnit;
  readonly groups: readonly FlameGroup[];
  readonly sides: readonly [before: string, after: string] | null;
  readonly notes: readonly string[];
  /** 0 is the empty one. */
  readonly strings: readonly string[];
  readonly labels: {
    readonly count: number;
    readonly name: string;
    readonly file: string;
    readonly line: string;
    readonly column: string;
    readonly group: string;
    readonly note: string;
    readonly self: PackedWeights;
    readonly total: PackedWeights;
    readonly change: PackedChange | null;
  };
  readonly tree: {
    readonly count: number;
    /** How far before the node its parent stands; 0 for the root. */
    readonly back: string;
    readonly label: string;
    readonly self: PackedWeights;
    readonly selfBefore: PackedWeights | null;
  };
  readonly timeline: { readonly count: number; readonly node: string; readonly duration: PackedWeights } | null;
}

interface PackedChange {
  readonly selfBefore: PackedWeights;
  readonly totalBefore: PackedWeights;
  /** In billionths, and one more; 0 for null. */
  readonly q: string;
  /** 0 for null, 1 for no, 2 for yes. */
  readonly isSignificant: string;
  readonly note: string;
}

const Q_STEPS = 1e9;

export function packFlame(model: FlameModel): PackedFlame {
  const { labels, tree, timeline } = model;
  const strings: string[] = [''];
  const known = new Map([['', 0]]);
  const numberOf = (text: string): number => {
    let number = known.get(text);
    if (number === undefined) {
      number = strings.push(text) - 1;
      known.set(text, number);
    }
    return number;
  };
  const column = (pick: (label: FlameLabel) => number): string => packNumbers(labels.map(pick));
  return {
    title: model.title,
    subtitle: model.subtitle,
    unit: model.unit,
    groups: model.groups,
    sides: model.sides,
    notes: model.notes,
    labels: {
      count: labels.length,
      name: column(({ name }) => numberOf(name)),
      file: column(({ file }) => numberOf(file)),
      line: column(({ line }) => line),
      column: column((label) => label.column),
      group: column(({ group }) => group),
      note: column(({ note }) => numberOf(note)),
      self: packWeights(labels.map(({ self }) => self)),
      total: packWeights(labels.map(({ total }) => total)),
      change: model.sides === null ? null : packChanges(labels, numberOf),
    },
    tree: {
      count: tree.count,
      back: packNumbers(tree.parent.map((above, node) => (node === 0 ? 0 : node - above))),
      label: packNumbers(tree.labelOf),
      self: packWeights(tree.self),
      selfBefore: tree.selfBefore === null ? null : packWeights(tree.selfBefore),
    },
    timeline:
      timeline === null
        ? null
        : { count: timeline.count, node: packNumbers(timeline.node), duration: packWeights(timeline.duration) },
    strings,
  };
}

function packChanges(labels: readonly FlameLabel[], numberOf: (text: string) => number): PackedChange {
  const changes = labels.map(({ change }) => change);
  return {
    selfBefore: packWeights(changes.map((change) => change?.selfBefore ?? 0)),
    totalBefore: packWeights(changes.map((change) => change?.totalBefore ?? 0)),
    q: packNumbers(changes.map((change) => (typeof change?.q === 'number' ? Math.round(change.q * Q_STEPS) + 1 : 0))),
    isSignificant: packNumbers(
      changes.map((change) => (typeof change?.isSignificant === 'boolean' ? Number(change.isSignificant) + 1 : 0)),
    ),
    note: packNumbers(changes.map((change) => numberOf(change?.note ?? ''))),
  };
}

export function unpackFlame(packed: PackedFlame): FlameModel {
  const { tree, timeline } = packed;
  const { count } = tree;
  const parent = unpackNumbers(tree.back, new Int32Array(count));
  for (let node = 0; node < count; node += 1) parent[node] = node === 0 ? -1 : node - (parent[node] as number);
  return {
    title: packed.title,
    subtitle: packed.subtitle,
    unit: packed.unit,
    groups: packed.groups,
    sides: packed.sides,
    notes: packed.notes,
    labels: unpackLabels(packed),
    tree: {
      count,
      parent,
      labelOf: unpackNumbers(tree.label, new Uint32Array(count)),
      self: unpackWeights(tree.self, count),
      selfBefore: tree.selfBefore === null ? null : unpackWeights(tree.selfBefore, count),
    },
    timeline:
      timeline === null
        ? null
        : {
            count: timeline.count,
            node: unpackNumbers(timeline.node, new Uint32Array(timeline.count)),
            duration: unpackWeights(timeline.duration, timeline.count),
          },
  };
}

function unpackLabels({ labels, strings }: PackedFlame): FlameLabel[] {
  const { count, change } = labels;
  const column = (text: string): Float64Array => unpackNumbers(text, new Float64Array(count));
  const [name, file, note] = [column(labels.name), column(labels.file), column(labels.note)];
  const [line, place, group] = [column(labels.line), column(labels.column), column(labels.group)];
  const [self, total] = [unpackWeights(labels.self, count), unpackWeights(labels.total, count)];
  const before = change === null ? null : unpackChanges(change, count, strings);
  return Array.from({ length: count }, (_, at) => ({
    name: strings[name[at] as number] ?? '',
    file: strings[file[at] as number] ?? '',
    note: strings[note[at] as number] ?? '',
    line: line[at] as number,
    column: place[at] as number,
    group: group[at] as number,
    self: self[at] as number,
    total: total[at] as number,
    change: before?.(at) ?? null,
  }));
}

function unpackChanges(
  change: PackedChange,
  count: number,
  strings: readonly string[],
): (at: number) => NonNullable<FlameLabel['change']> {
  const selfBefore = unpackWeights(change.selfBefore, count);
  const totalBefore = unpackWeights(change.totalBefore, count);
  const q = unpackNumbers(change.q, new Float64Array(count));
  const isSignificant = unpackNumbers(change.isSignificant, new Float64Array(count));
  const note = unpackNumbers(change.note, new Float64Array(count));
  return (at) => ({
    selfBefore: selfBefore[at] as number,
    totalBefore: totalBefore[at] as number,
    q: q[at] === 0 ? null : ((q[at] as number) - 1) / Q_STEPS,
    isSignificant: isSignificant[at] === 0 ? null : isSignificant[at] === 2,
    note: strings[note[at] as number] ?? '',
  });
}
