/** The views of a model: their layouts, made when somebody looks, and how their frames are coloured and called. */
import { changeStep } from '../flame/change.ts';
import { invertTree } from '../flame/invert.ts';
import { layoutTimeline, layoutTree, type FlameLayout } from '../flame/layout.ts';
import type { FlameLabel, FlameModel } from '../flame/model.ts';
import { changeSwatch, SWATCHES } from '../flame/palette.ts';
import type { Scene } from './chart.ts';

export type ViewName = 'left-heavy' | 'time' | 'callers';
export type Side = 'after' | 'before';

export const VIEW_TITLES: Readonly<Record<ViewName, string>> = {
  'left-heavy': 'Left heavy',
  time: 'Chronological',
  callers: 'Inverted',
};

/** Branches of the tree of callers that are thinner than this on any screen are not followed. */
const LEAST_CALLER_SHARE = 1 / 20_000;

/** No frame is hatched. */
const NEVER = 0xff;

export interface ViewScene {
  readonly layout: FlameLayout;
  readonly swatchOf: Uint8Array;
  readonly hatchedFrom: number;
  readonly textOf: (frame: number) => string;
  /** Branches that were too thin to be followed. */
  readonly cutCount: number;
}

export class Scenes {
  readonly #model: FlameModel;
  readonly #made = new Map<string, ViewScene>();
  readonly #whole: number;
  readonly #wholeBefore: number;

  constructor(model: FlameModel) {
    this.#model = model;
    const sum = (values: Float64Array | null): number => values?.reduce((a, b) => a + b, 0) ?? 0;
    this.#whole = sum(model.tree.self);
    this.#wholeBefore = sum(model.tree.selfBefore);
  }

  /** Views that this model has. */
  get names(): readonly ViewName[] {
    return this.#model.timeline === null ? ['left-heavy', 'callers'] : ['left-heavy', 'time', 'callers'];
  }

  /** Weight of everything, on a side. */
  wholeOf(side: Side): number {
    return side === 'after' ? this.#whole : this.#wholeBefore;
  }

  get(name: ViewName, side: Side): ViewScene {
    const key = `${name} ${side}`;
    let scene = this.#made.get(key);
    if (scene === undefined) {
      scene = this.#make(name, side);
      this.#made.set(key, scene);
    }
    return scene;
  }

  #make(name: ViewName, side: Side): ViewScene {
    const { tree, timeline, labels, sides } = this.#model;
    let layout: FlameLayout;
    let cutCount = 0;
    if (name === 'time' && timeline !== null) layout = layoutTimeline(tree, timeline);
    else if (name === 'callers') {
      const inverted = invertTree(tree, LEAST_CALLER_SHARE);
      cutCount = inverted.cutCount;
      layout = layoutTree(inverted.tree, side, inverted);
    } else layout = layoutTree(tree, side);
    if (sides === null) {
      const swatchOf = this.#groupSwatches(layout);
      return { layout, swatchOf, hatchedFrom: NEVER, cutCount, textOf: (frame) => nameOf(labels, layout, frame) };
    }
    const swatchOf = this.#changeSwatches(layout);
    const textOf = (frame: number): string => {
      const swatch = swatchOf[frame] as number;
      // In words of one letter: what has grown, what has shrunk.
      const mark = swatch > changeSwatch(0) ? '▲ ' : swatch < changeSwatch(0) ? '▼ ' : '';
      return mark + nameOf(labels, layout, frame);
    };
    return { layout, swatchOf, hatchedFrom: changeSwatch(1), cutCount, textOf };
  }

  #groupSwatches(layout: FlameLayout): Uint8Array {
    const { labels, groups } = this.#model;
    const swatchOfLabel = labels.map(({ group }) => Math.min(SWATCHES.length - 1, groups[group]?.swatch ?? 0));
    return Uint8Array.from(layout.labelOf, (label) => swatchOfLabel[label] ?? 0);
  }

  #changeSwatches(layout: FlameLayout): Uint8Array {
    const { labels } = this.#model;
    const swatchOf = new Uint8Array(layout.count);
    const change = (after: number, before: number): readonly [before: number, after: number] => [
      before / (this.#wholeBefore || 1),
      after / (this.#whole || 1),
    ];
    for (let frame = 0; frame < layout.count; frame += 1) {
      const [before, after] = change(layout.total[frame] as number, layout.totalBefore?.[frame] ?? 0);
      const [selfBefore, selfAfter] = change(layout.self[frame] as number, layout.selfBefore?.[frame] ?? 0);
      // What a test calls noise is the function itself; a frame that changed because of what it calls is another matter.
      const isItself = Math.abs(selfAfter - selfBefore) >= Math.abs(after - before) / 2;
      const isNoise = labels[layout.labelOf[frame] as number]?.change?.isSignificant === false;
      swatchOf[frame] = changeSwatch(isNoise && isItself ? 0 : changeStep(before, after));
    }
    return swatchOf;
  }
}

const nameOf = (labels: readonly FlameLabel[], layout: FlameLayout, frame: number): string =>
  labels[layout.labelOf[frame] as number]?.name ?? '';

/** What the chart needs, with what a search has found. */
export const withSearch = (scene: ViewScene, isFound: Uint8Array | null): Scene => ({ ...scene, isFound });
