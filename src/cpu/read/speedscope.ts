/**
 * Reads speedscope's own files (https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources): sampled and
 * evented profiles over one list of frames. Several profiles (threads, as a rule) become one, each below a frame of its
 * name, one after another in time; those that count something else than the first are left out with a note.
 *
 * Refuses frames that are not in the list, events that close what is not open or go back in time, and wrong weights.
 */
import { array, BadFile, type JsonShape, number, NumberColumn, numbers, object, string } from '../../input/index.ts';
import type { CpuProfile } from '../model/profile.ts';
import { NO_LINE_TICKS, SampleColumns } from '../model/samples.ts';
import { StackBuilder } from '../model/stack-builder.ts';
import { MAX_US, type RawProfile } from './raw-profile.ts';
import { toPosition } from './position.ts';

interface Section {
  name: string;
  type: string;
  unit: string;
  startValue: number;
  endValue: number;
  /** Where its rows begin in the columns of stacks, weights and events. */
  readonly firstStack: number;
  readonly firstWeight: number;
  readonly firstEvent: number;
  endStack: number;
  endWeight: number;
  endEvent: number;
}

interface Unit {
  readonly unit: CpuProfile['unit'];
  readonly factor: number;
}

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['none', { unit: 'samples', factor: 1 }],
  ['bytes', { unit: 'bytes', factor: 1 }],
  ['nanoseconds', { unit: 'microseconds', factor: 1e-3 }],
  ['microseconds', { unit: 'microseconds', factor: 1 }],
  ['milliseconds', { unit: 'microseconds', factor: 1e3 }],
  ['seconds', { unit: 'microseconds', factor: 1e6 }],
]);

const OPEN = 1;
const CLOSE = 2;

export class SpeedscopeReader {
  readonly #file: string;
  readonly #builder = new StackBuilder();
  /** Per frame of the list: its function. */
  readonly #functionOf = new NumberColumn();
  readonly #stackFrames = new NumberColumn();
  readonly #stackEnds = new NumberColumn();
  readonly #weights = new NumberColumn();
  readonly #eventTypes = new NumberColumn();
  readonly #eventFrames = new NumberColumn();
  readonly #eventTimes = new NumberColumn();
  readonly #sections: Section[] = [];
  #frame = { name: '', file: '', line: 0, column: 0 };

  readonly fields: Readonly<Record<string, JsonShape>>;

  constructor(file: string) {
    this.#file = file;
    this.fields = { shared: object({ frames: array(this.#frameShape()) }), profiles: array(this.#profileShape()) };
  }

  get hasProfiles(): boolean {
    return this.#sections.length > 0;
  }

  #frameShape(): JsonShape {
    return object(
      {
        name: string((name) => {
          this.#frame.name = name;
        }),
        file: string((file) => {
          this.#frame.file = file;
        }),
        line: number((line) => {
          this.#frame.line = toPosition(line);
        }),
        col: number((column) => {
          this.#frame.column = toPosition(column);
        }),
      },
      {
        onStart: () => {
          this.#frame = { name: '', file: '', line: 0, column: 0 };
        },
        onEnd: () => {
          const { name, file, line, column } = this.#frame;
          this.#functionOf.push(this.#builder.functions.add(name, file, line, column));
        },
      },
    );
  }

  #profileShape(): JsonShape {
    return object(
      {
        type: string((type) => {
          this.#section.type = type;
        }),
        name: string((name) => {
          this.#section.name = name;
        }),
        unit: string((unit) => {
          this.#section.unit = unit;
        }),
        startValue: number((value) => {
          this.#section.startValue = value;
        }),
        endValue: number((value) => {
          this.#section.endValue = value;
        }),
        samples: array(
          numbers(this.#stackFrames, {
            onEnd: () => {
              this.#stackEnds.push(this.#stackFrames.count);
            },
          }),
        ),
        weights: numbers(this.#weights),
        events: array(this.#eventShape()),
      },
      {
        onStart: () => {
          this.#sections.push({
            name: '',
            type: '',
            unit: 'none',
            startValue: 0,
            endValue: 0,
            firstStack: this.#stackEnds.count,
            firstWeight: this.#weights.count,
            firstEvent: this.#eventTypes.count,
            endStack: 0,
            endWeight: 0,
            endEvent: 0,
          });
        },
        onEnd: () => {
          this.#section.endStack = this.#stackEnds.count;
          this.#section.endWeight = this.#weights.count;
          this.#section.endEvent = this.#eventTypes.count;
        },
      },
    );
  }

  #eventShape(): JsonShape {
    const last = (): number => this.#eventTypes.count - 1;
    return object(
      {
        type: string((type) => {
          this.#eventTypes.set(last(), type === 'O' ? OPEN : type === 'C' ? CLOSE : 0);
        }),
        frame: number((frame) => {
          this.#eventFrames.set(last(), frame);
        }),
        at: number((at) => {
          this.#eventTimes.set(last(), at);
        }),
      },
      {
        onStart: () => {
          this.#eventTypes.push(0);
          this.#eventFrames.push(-1);
          this.#eventTimes.push(0);
        },
      },
    );
  }

  get #section(): Section {
    return this.#sections.at(-1) as Section;
  }

  finish(): RawProfile {
    const notes: string[] = [];
    const wanted = this.#chooseSections(notes);
    const { unit } = this.#unitOf(wanted[0] as [number, Section]);
    const samples = new SampleList();
    for (const [index, section] of wanted) {
      const top = wanted.length === 1 ? 0 : this.#openThread(section.name, index);
      const { factor } = this.#unitOf([index, section]);
      if (section.type === 'evented') this.#replayEvents(samples, { index, section, top, factor });
      else this.#addStacks(samples, { index, section, top, factor });
    }
    const tree = this.#builder.finish();
    return {
      ...tree,
      functions: this.#builder.functions,
      withoutFile: this.#builder.functions.isFromV8 ? 'native' : 'application',
      lineTicks: NO_LINE_TICKS,
      samples: samples.finish(),
      isChronological: samples.count > 0,
      sampleCount: samples.count,
      durationUs: samples.totalUs,
      unit,
      deoptReasons: new Map(),
      notes,
    };
  }

  #chooseSections(notes: string[]): [number, Section][] {
    const all = [...this.#sections.entries()];
    const { unit } = this.#unitOf(all[0] as [number, Section]);
    const wanted = all.filter((entry) => this.#unitOf(entry).unit === unit);
    if (wanted.length > 1) notes.push(`${wanted.length} profiles, one after another in time`);
    if (wanted.length < all.length) notes.push(`${all.length - wanted.length} profiles in another unit are left out`);
    return wanted;
  }

  #unitOf([index, { unit }]: readonly [number, Section]): Unit {
    const known = UNITS.get(unit);
    if (known === undefined) this.#fail(`profiles[${index}].unit`, `the unit ${JSON.stringify(unit)} is not known`);
    return known;
  }

  #openThread(name: string, index: number): number {
    const thread = `(thread) ${name === '' ? index + 1 : name}`;
    return this.#builder.child(0, this.#builder.functions.add(thread, '', 0, 0));
  }

  #functionAt(frame: number, where: () => string): number {
    if (!Number.isInteger(frame) || frame < 0 || frame >= this.#functionOf.count)
      this.#fail(where(), `there is no frame ${frame}: the list has ${this.#functionOf.count}`);
    return this.#functionOf.at(frame);
  }

  #addStacks(samples: SampleList, { index, section, top, factor }: Placed): void {
    const { firstStack, endStack, firstWeight, endWeight } = section;
    const stacks = endStack - firstStack;
    const weights = endWeight - firstWeight;
    if (stacks !== weights) this.#fail(`profiles[${index}].weights`, `${weights} weights for ${stacks} samples`);
    for (let stack = firstStack; stack < endStack; stack += 1) {
      const first = stack === 0 ? 0 : this.#stackEnds.at(stack - 1);
      let node = top;
      for (let place = first; place < this.#stackEnds.at(stack); place += 1) {
        const where = (): string => `profiles[${index}].samples[${stack - firstStack}][${place - first}]`;
        node = this.#builder.child(node, this.#functionAt(this.#stackFrames.at(place), where));
      }
      const weightUs = this.#weights.at(firstWeight + stack - firstStack) * factor;
      this.#addSample(samples, node, weightUs, () => `profiles[${index}].weights[${stack - firstStack}]`);
    }
  }

  #replayEvents(samples: SampleList, { index, section, top, factor }: Placed): void {
    const { firstEvent, endEvent, startValue, endValue } = section;
    const stack = [top];
    let at = startValue;
    const passUntil = (time: number, where: () => string): void => {
      if (time < at) this.#fail(where(), `an event at ${time} after one at ${at}`);
      if (time > at) this.#addSample(samples, stack.at(-1) as number, (time - at) * factor, where);
      at = time;
    };
    const open: number[] = [];
    for (let event = firstEvent; event < endEvent; event += 1) {
      const where = (): string => `profiles[${index}].events[${event - firstEvent}]`;
      const type = this.#eventTypes.at(event);
      const frame = this.#eventFrames.at(event);
      const functionIndex = this.#functionAt(frame, where);
      passUntil(this.#eventTimes.at(event), where);
      if (type === OPEN) {
        stack.push(this.#builder.child(stack.at(-1) as number, functionIndex));
        open.push(frame);
      } else if (type === CLOSE) {
        if (open.pop() !== frame) this.#fail(where(), `frame ${frame} ends and is not the one that began last`);
        stack.pop();
      } else this.#fail(where(), 'neither the beginning (O) nor the end (C) of a frame');
    }
    if (endValue > at) passUntil(endValue, () => `profiles[${index}].endValue`);
  }

  #addSample(samples: SampleList, node: number, weightUs: number, where: () => string): void {
    if (!(weightUs >= 0 && samples.totalUs + weightUs <= MAX_US))
      this.#fail(where(), `a weight of ${weightUs} is none`);
    this.#builder.add(node, weightUs, 1);
    samples.add(node, weightUs);
  }

  #fail(where: string, what: string): never {
    throw new BadFile({ file: this.#file, where, what });
  }
}

interface Placed {
  readonly index: number;
  readonly section: Section;
  /** The node that its stacks begin under. */
  readonly top: number;
  readonly factor: number;
}

class SampleList {
  readonly #node = new NumberColumn();
  readonly #durationUs = new NumberColumn();
  totalUs = 0;

  get count(): number {
    return this.#node.count;
  }

  add(node: number, durationUs: number): void {
    this.#node.push(node);
    this.#durationUs.push(durationUs);
    this.totalUs += durationUs;
  }

  finish(): SampleColumns {
    return new SampleColumns(
      Uint32Array.from(this.#node.values.subarray(0, this.count)),
      Float64Array.from(this.#durationUs.values.subarray(0, this.count)),
    );
  }
}
