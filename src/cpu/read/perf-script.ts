/**
 * Reads the output of `perf script`: a line about the sample, then its frames, innermost first, then an empty line. With
 * Node's `--perf-basic-prof` frames carry names and places of JavaScript; without it they stay unknown and are counted so.
 *
 * A sample weighs what perf says that it stands for: its period, where the event counts time (`cpu-clock`,
 * `task-clock`), else the usual time between two samples of a thread. Time off the processor is not in such a file, so
 * it has no chronology here. Threads of several names each stand below a frame of their own.
 */
import { BadFile, NumberColumn, readLines } from '../../input/index.ts';
import { NO_LINE_TICKS, NO_SAMPLES } from '../model/samples.ts';
import { StackBuilder } from '../model/stack-builder.ts';
import { parseFrame } from './frame-text.ts';
import { MAX_US, type RawProfile } from './raw-profile.ts';

/** `node 4321 [001] 1234.567890:    1010101 cpu-clock:pppH:`; processor, process and period may be missing. */
const HEAD =
  /^\s*(\S.*?)\s+(?:[0-9]+\/)?([0-9]+)\s+(?:\[[0-9]+\]\s+)?([0-9]+)\.([0-9]{1,9}):\s+(?:([0-9]+)\s+)?(\S+?):?\s*$/;
const ADDRESS = /^[0-9a-fA-F]{1,16}$/;
const OFFSET = /\+0x[0-9a-f]+$/;
const CLOCK = /^(?:cpu|task)-clock/;
/** perf writes at most 127 frames unless told otherwise (`kernel.perf_event_max_stack`); this leaves room for any setting. */
const MAX_FRAMES = 4096;

/** Longer ones are not taken for the line about a sample: the name of a thread has 15 characters. */
const LONGEST_HEAD = 1024;

/** Whether the beginning of a file is of this format: a line about a sample, and a frame right behind it. */
export const isPerfScript = (text: string): boolean => {
  const lines = text.split('\n');
  return lines.some((line, index) => parseHead(line) !== null && parseFrameLine(lines[index + 1] ?? '') !== null);
};

const parseHead = (line: string): RegExpExecArray | null => (line.length > LONGEST_HEAD ? null : HEAD.exec(line));

/** `	    55d0c0 v8::internal::Runtime+0x1f (/usr/bin/node)`: the symbol; null for what is no frame. By hand, in one look. */
function parseFrameLine(line: string): string | null {
  const text = line.trim();
  const space = text.indexOf(' ');
  const open = text.lastIndexOf(' (');
  const isFrame =
    line !== text && space > 0 && open > space && text.endsWith(')') && ADDRESS.test(text.slice(0, space));
  return isFrame ? text.slice(space + 1, open).trim() : null;
}

export async function readPerfScript(chunks: AsyncIterable<Uint8Array>, file: string): Promise<RawProfile> {
  const reader = new PerfReader(file);
  await readLines(
    chunks,
    (line, number) => {
      reader.take(line, number);
    },
    { file },
  );
  return reader.finish();
}

class PerfReader {
  readonly #file: string;
  readonly #functions = new Map<string, number>();
  readonly #builder = new StackBuilder();
  /** Per sample. */
  readonly #nodes = new NumberColumn();
  readonly #weightsUs = new NumberColumn();
  readonly #gaps = new NumberColumn();
  readonly #lastUsOfThread = new Map<string, number>();
  readonly #threadNames = new Set<string>();
  #stack: number[] = [];
  #threadName: string | null = null;
  #periodUs = Number.NaN;

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string, number: number): void {
    if (line.startsWith('#')) return;
    if (line.trim() === '') return this.#endSample(number);
    if (this.#threadName === null) return this.#begin(line, number);
    const symbol = parseFrameLine(line);
    if (symbol === null) {
      const what = `a frame (address, symbol, file in brackets) was expected, found ${JSON.stringify(line.slice(0, 60))}`;
      this.#fail(number, what);
    }
    if (this.#stack.length >= MAX_FRAMES) this.#fail(number, `a stack of more than ${MAX_FRAMES} frames`);
    this.#stack.push(this.#addFunction(symbol));
  }

  #begin(line: string, number: number): void {
    const [, name, thread, seconds, fraction, period, event] = parseHead(line) ?? [];
    if (name === undefined || thread === undefined || fraction === undefined || event === undefined) {
      const what = `a sample (name, thread, time, event) was expected, found ${JSON.stringify(line.slice(0, 60))}`;
      return this.#fail(number, what);
    }
    const atUs = Number(`${seconds}.${fraction}`) * 1e6;
    const lastUs = this.#lastUsOfThread.get(thread);
    if (lastUs !== undefined && atUs > lastUs) this.#gaps.push(atUs - lastUs);
    this.#lastUsOfThread.set(thread, atUs);
    this.#threadName = name;
    this.#threadNames.add(name);
    this.#periodUs = period !== undefined && CLOCK.test(event) ? Number(period) / 1000 : Number.NaN;
  }

  #endSample(number: number): void {
    if (this.#threadName === null) return;
    const { functions } = this.#builder;
    let node = this.#builder.child(0, functions.add(`(thread) ${this.#threadName}`, '', 0, 0));
    for (const fn of this.#stack.toReversed()) node = this.#builder.child(node, fn);
    if (this.#periodUs > MAX_US) this.#fail(number, `a period of ${this.#periodUs} µs`);
    this.#nodes.push(node);
    this.#weightsUs.push(this.#periodUs);
    this.#stack = [];
    this.#threadName = null;
  }

  #addFunction(symbol: string): number {
    const known = this.#functions.get(symbol);
    if (known !== undefined) return known;
    const { name, url, line, column } = parseFrame(symbol.replace(OFFSET, ''));
    const index = this.#builder.functions.add(name, url, line, column);
    this.#functions.set(symbol, index);
    return index;
  }

  finish(): RawProfile {
    this.#endSample(0);
    if (this.#nodes.count === 0)
      throw new BadFile({ file: this.#file, where: null, what: 'there is not a single sample' });
    const notes: string[] = [];
    const usualUs = this.#findUsualGap(notes);
    let total = 0;
    for (let index = 0; index < this.#nodes.count; index += 1) {
      const period = this.#weightsUs.at(index);
      const weightUs = Number.isNaN(period) ? usualUs : period;
      total += weightUs;
      this.#builder.add(this.#nodes.at(index), weightUs, 1);
    }
    return {
      ...this.#builder.finish(),
      functions: this.#builder.functions,
      withoutFile: 'native',
      lineTicks: NO_LINE_TICKS,
      samples: NO_SAMPLES,
      isChronological: false,
      sampleCount: this.#nodes.count,
      durationUs: total,
      unit: 'microseconds',
      deoptReasons: new Map(),
      notes,
    };
  }

  /** The median: pauses of a thread are gaps as well, and long. */
  #findUsualGap(notes: string[]): number {
    const gaps = Float64Array.from(this.#gaps.values.subarray(0, this.#gaps.count)).sort();
    const usualUs = gaps[gaps.length >> 1] ?? 0;
    const unweighed = this.#weightsUs.values.subarray(0, this.#nodes.count).findIndex((weight) => Number.isNaN(weight));
    if (unweighed !== -1)
      notes.push(
        `samples do not say which time they stand for: each counts for the usual gap, ${Math.round(usualUs)} µs`,
      );
    return usualUs;
  }

  #fail(number: number, what: string): never {
    throw new BadFile({ file: this.#file, where: `line ${number}`, what });
  }
}
