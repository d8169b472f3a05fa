/** CPU profiles in memory from stacks, for tests that need a known one. */
import { NO_LINE_TICKS, SampleColumns } from '../../src/cpu/model/samples.ts';
import type { CpuFunction, CpuProfile } from '../../src/cpu/model/profile.ts';

/** `name`, or `name@url:line:column`; where parts are missing, a function of `/app/main.js` at line 1. */
export function functionOf(text: string): CpuFunction {
  const [name = '', place = '/app/main.js:1:1'] = text.split('@');
  const [, url = '', line = '1', column = '1'] = /^(.*?)(?::(\d+))?(?::(\d+))?$/u.exec(place) ?? [];
  const category = name === '(idle)' ? 'idle' : name === '(garbage collector)' ? 'gc' : 'application';
  const hasFile = !name.startsWith('(') || name === '(anonymous)';
  return {
    name,
    url: hasFile ? url : '',
    line: hasFile ? Number(line) : 0,
    column: hasFile ? Number(column) : 0,
    category,
    package: null,
  };
}

/** A sample: its stack from the outside in, joined by `>`, and the microseconds that it stands for. */
export type Sample = readonly [stack: string, durationUs: number];

export function profileOf(samples: readonly Sample[]): CpuProfile {
  const functions: CpuFunction[] = [functionOf('(root)')];
  const functionAt = new Map<string, number>([['(root)', 0]]);
  const parent = [-1];
  const functionOfNode = [0];
  const nodeAt = new Map<string, number>();
  const sampleNodes: number[] = [];
  for (const [stack] of samples) {
    let node = 0;
    let path = '';
    for (const frame of stack.split('>')) {
      path += `>${frame}`;
      let at = functionAt.get(frame);
      if (at === undefined) functionAt.set(frame, (at = functions.push(functionOf(frame)) - 1));
      let child = nodeAt.get(path);
      if (child === undefined) {
        nodeAt.set(path, (child = parent.push(node) - 1));
        functionOfNode.push(at);
      }
      node = child;
    }
    sampleNodes.push(node);
  }
  const selfUs = new Float64Array(parent.length);
  const hits = new Uint32Array(parent.length);
  for (const [at, node] of sampleNodes.entries()) {
    selfUs[node] = (selfUs[node] ?? 0) + (samples[at]?.[1] ?? 0);
    hits[node] = (hits[node] ?? 0) + 1;
  }
  return {
    functions,
    nodeCount: parent.length,
    parent: Int32Array.from(parent),
    functionOf: Uint32Array.from(functionOfNode),
    selfUs,
    hits,
    lineTicks: NO_LINE_TICKS,
    samples: new SampleColumns(Uint32Array.from(sampleNodes), Float64Array.from(samples.map(([, us]) => us))),
    isChronological: true,
    sampleCount: samples.length,
    durationUs: samples.reduce((sum, [, us]) => sum + us, 0),
    unit: 'microseconds',
    deoptReasons: new Map(),
    notes: [],
  };
}
