/**
 * Writes `.cpuprofile` for Chrome DevTools, VS Code and this reader, as text in parts. `timeDeltas` has one entry more
 * than `samples`: the length of the last sample, which DevTools takes and others ignore. A profile without chronology
 * becomes one sample per node with time, and its counts of hits are microseconds (or larger parts of the time, where those
 * would be too many), so that tools that weigh by counts are right as well.
 */
import { linkChildren } from '../passes/totals.ts';
import type { CpuProfile } from '../model/profile.ts';
import { listWeighted } from './stacks.ts';

/** Counts stay below it together, as some readers hold them in 32 bits. */
const MAX_HITS = 2 ** 31;
/** Entries of a list that are put into one part. */
const PART = 8192;

export function* writeCpuProfile(profile: CpuProfile): Generator<string, void, undefined> {
  yield '{"nodes":[';
  yield* writeNodes(profile);
  yield `],"startTime":0,"endTime":${profile.durationUs},"samples":[`;
  if (profile.isChronological) {
    const { node, durationUs, count } = profile.samples;
    yield* joinNumbers(count, (index) => (node[index] as number) + 1);
    yield '],"timeDeltas":[';
    yield* joinNumbers(count + 1, (index) => (index === 0 ? 0 : (durationUs[index - 1] as number)));
  } else {
    const nodes = [...listWeighted(profile)];
    yield* joinNumbers(nodes.length, (index) => (nodes[index] as number) + 1);
    yield '],"timeDeltas":[';
    yield* joinNumbers(nodes.length + 1, (index) =>
      index === 0 ? 0 : (profile.selfUs[nodes[index - 1] as number] as number),
    );
  }
  yield ']}';
}

function* writeNodes(profile: CpuProfile): Generator<string, void, undefined> {
  const { nodeCount, parent, functionOf, functions, hits, selfUs, isChronological, deoptReasons } = profile;
  const { firstChild, nextSibling } = linkChildren(nodeCount, parent);
  const ticksOf = groupLineTicks(profile);
  const hitsPerUs = Math.min(1, MAX_HITS / Math.max(profile.durationUs, 1));
  let part = '';
  for (let node = 0; node < nodeCount; node += 1) {
    const { name, url, line, column } = functions[functionOf[node] as number] as CpuProfile['functions'][number];
    const children: number[] = [];
    for (let child = firstChild[node] as number; child !== -1; child = nextSibling[child] as number)
      children.push(child + 1);
    const reasons = deoptReasons.get(node);
    const ticks = ticksOf.get(node);
    part += `${node === 0 ? '' : ','}${JSON.stringify({
      id: node + 1,
      callFrame: {
        // V8 leaves the name of an anonymous function empty.
        functionName: name === '(anonymous)' ? '' : name,
        scriptId: '0',
        url,
        lineNumber: line - 1,
        columnNumber: column - 1,
      },
      hitCount: isChronological ? hits[node] : Math.round((selfUs[node] as number) * hitsPerUs),
      ...(children.length === 0 ? {} : { children }),
      ...(ticks === undefined ? {} : { positionTicks: ticks }),
      ...(reasons === undefined ? {} : { deoptReason: reasons.join('; ') }),
    })}`;
    if (part.length > 64 * 1024) {
      yield part;
      part = '';
    }
  }
  yield part;
}

function groupLineTicks({ lineTicks }: CpuProfile): Map<number, { line: number; ticks: number }[]> {
  const ticksOf = new Map<number, { line: number; ticks: number }[]>();
  for (let row = 0; row < lineTicks.count; row += 1) {
    const node = lineTicks.node[row] as number;
    const rows = ticksOf.get(node) ?? [];
    rows.push({ line: lineTicks.line[row] as number, ticks: lineTicks.ticks[row] as number });
    ticksOf.set(node, rows);
  }
  return ticksOf;
}

function* joinNumbers(count: number, at: (index: number) => number): Generator<string, void, undefined> {
  for (let from = 0; from < count; from += PART) {
    const part: number[] = [];
    for (let index = from; index < Math.min(from + PART, count); index += 1) part.push(at(index));
    yield `${from === 0 ? '' : ','}${part.join(',')}`;
  }
}
