/**
 * Profiles to measure a flame graph on, as V8 would have written them: the calls of a program that calls at random, and a
 * grid, in which every row is full of frames that are just wide enough to be seen, which is the worst that can be drawn.
 */

export interface RawNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly hitCount: number;
  readonly children: number[];
}

export interface RawProfile {
  readonly nodes: readonly RawNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const FUNCTIONS = 4000;
const FILES = 300;
const DEEPEST = 90;

/** A stack that is pushed and popped at random; every push is a frame of its own. The same seed makes the same profile. */
export function callsAtRandom(frames: number, seed: number): RawProfile {
  const random = mulberry(seed);
  const maker = new ProfileMaker();
  const stack = [maker.root];
  while (maker.nodes.length < frames) {
    if (random() < 0.52 && stack.length < DEEPEST) {
      // Some functions are called everywhere, most hardly ever.
      stack.push(maker.call(stack.at(-1) as RawNode, Math.floor(FUNCTIONS * random() ** 2.5)));
      maker.sample(stack.at(-1) as RawNode, Math.ceil(50 + 3000 * random() ** 6));
    } else if (stack.length > 1) stack.length -= Math.min(stack.length - 1, 1 + Math.floor(3 * random() ** 3));
  }
  return maker.finish();
}

/** `rows` rows of equally wide frames. */
export function gridOfCalls(frames: number, rows: number): RawProfile {
  const maker = new ProfileMaker();
  const columns = Math.floor((frames - 1) / rows);
  for (let column = 0; column < columns; column += 1) {
    let node = maker.root;
    for (let row = 0; row < rows; row += 1) node = maker.call(node, (column * 7 + row * 13) % FUNCTIONS);
    maker.sample(node, 1000);
  }
  return maker.finish();
}

class ProfileMaker {
  readonly nodes: RawNode[] = [];
  readonly root: RawNode;
  readonly #samples: number[] = [];
  readonly #deltas: number[] = [];
  #time = 0;

  constructor() {
    this.root = this.#add('(root)', '', -1);
  }

  /** A frame of its own each time: no two calls of a parent are one, as the place in the file differs. */
  call(above: RawNode, fn: number): RawNode {
    const call = above.children.length;
    const node = this.#add(`function${fn}`, `file:///srv/shop/src/part${fn % FILES}.js`, fn, call);
    above.children.push(node.id);
    return node;
  }

  sample(node: RawNode, durationUs: number): void {
    this.#samples.push(node.id);
    // V8 writes the time before a sample: what a sample stands for follows with the next.
    this.#deltas.push(this.#samples.length === 1 ? 0 : this.#time);
    this.#time = durationUs;
  }

  finish(): RawProfile {
    const endTime = this.#deltas.reduce((sum, delta) => sum + delta, 0) + this.#time;
    return { nodes: this.nodes, startTime: 0, endTime, samples: this.#samples, timeDeltas: this.#deltas };
  }

  #add(functionName: string, url: string, line: number, column = 0): RawNode {
    const callFrame = { functionName, scriptId: '1', url, lineNumber: line, columnNumber: column };
    const node = { id: this.nodes.length + 1, callFrame, hitCount: 1, children: [] };
    this.nodes.push(node);
    return node;
  }
}

/** Mulberry32 by Tommy Ettinger: small, seeded, good enough to call at random. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
