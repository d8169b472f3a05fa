/**
 * Functions that V8 optimises and throws away again and again, from its log (`--log-deopt`). Code that is not settled yet
 * is thrown away a few times at one place (up to 7 times were seen in programs that then went well); from 10 times on, and
 * at least twice a second, it is a loop. Changing between two compilers inside of a running loop is no loss.
 */
import type { Deoptimisation, V8Log } from '../read/v8-log.ts';
import { type Finding, MOST_PLACES, nameOf } from './finding.ts';
import { findInProfile, isOwnFile } from './log-place.ts';
import type { Sight } from './sight.ts';

const FEWEST = 10;
const FEWEST_PER_SECOND = 2;
/** Reasons that are no loss. */
const NO_LOSS = /^prepare for on stack replacement|^exit from OSR'd inner loop|^\(?unknown/;

interface Loop {
  readonly first: Deoptimisation;
  count: number;
  fromUs: number;
  toUs: number;
  readonly reasons: Map<string, number>;
}

export const findDeoptLoops = (log: V8Log, sight: Sight | null): Finding[] =>
  listLoops(log)
    .filter(({ count, fromUs, toUs }) => count >= FEWEST && count >= (FEWEST_PER_SECOND * (toUs - fromUs)) / 1e6)
    .map((loop) => describe(loop, sight))
    .filter(isFirstOfItsFunction)
    .slice(0, MOST_PLACES);

/** The same function may loop at several of its places; the one with the most says enough. */
const isFirstOfItsFunction = ({ where }: Finding, at: number, all: readonly Finding[]): boolean =>
  all.findIndex((other) => other.where?.url === where?.url && other.where?.name === where?.name) === at;

/** Deoptimisations by place, inlined or not. */
function listLoops({ deoptimisations }: V8Log): Loop[] {
  const loops = new Map<string, Loop>();
  for (const one of deoptimisations) {
    if (NO_LOSS.test(one.reason) || !isOwnFile(one.url)) continue;
    const key = `${one.url}:${one.line}:${one.column}`;
    let loop = loops.get(key);
    if (loop === undefined)
      loops.set(key, (loop = { first: one, count: 0, fromUs: one.firstUs, toUs: one.lastUs, reasons: new Map() }));
    loop.count += one.count;
    loop.fromUs = Math.min(loop.fromUs, one.firstUs);
    loop.toUs = Math.max(loop.toUs, one.lastUs);
    loop.reasons.set(one.reason, (loop.reasons.get(one.reason) ?? 0) + one.count);
  }
  return [...loops.values()].sort((a, b) => b.count - a.count);
}

function describe({ first, count, fromUs, toUs, reasons }: Loop, sight: Sight | null): Finding {
  const { place, share } = findInProfile(first, sight);
  const seconds = Math.max((toUs - fromUs) / 1e6, 0.001);
  const why = [...reasons].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
  return {
    id: 'deopt-loop',
    title: `V8 optimises ${nameOf(place)} and throws it away again and again`,
    severity: share !== null && share >= 0.3 ? 'high' : 'medium',
    share,
    where: place,
    evidence: [
      `thrown out of optimised code ${count} times in ${seconds.toFixed(1)} s at line ${first.line}, column ${first.column}: ${[...reasons.keys()].slice(0, 3).join(', ')}`,
      ...(sight === null ? [] : sight.quote(place)),
      ...(share === null
        ? []
        : [
            `${(share * 100).toFixed(0)} % of the time in which the loop was busy is its own, or on lines that call it`,
          ]),
    ],
    remedy: {
      text: `${WHY.find(([pattern]) => pattern.test(why))?.[1] ?? 'Give the function the same kinds of values always.'} Code that is made anew for each request (new Function, vm, a module loaded again) starts without anything learned, and learns the same each time: make it once.`,
      code: [
        '// one shape: all fields, in one order, from one place',
        'const makeRow = (amount, note = null) => ({ amount, note });',
        '// made once, not per request',
        'const total = new Script(formula, { filename }).runInThisContext();',
      ].join('\n'),
    },
    expectedGain:
      share === null
        ? null
        : {
            from: 0,
            to: share * 0.7,
            basis: 'optimised code was seen to run 2 to 10 times as fast as the interpreter',
          },
  };
}

const WHY: readonly (readonly [RegExp, string])[] = [
  [
    /wrong map|wrong instance type|wrong name/,
    'It meets objects of another shape than before: give all of them the same fields in the same order.',
  ],
  [
    /Smi|heap number|overflow|lost precision|minus zero|NaN/,
    'Its numbers change their kind (small integers, fractions, overflow): keep to one, or convert before the loop.',
  ],
  [
    /out of bounds|hole/,
    'It reads past the end of lists, or lists with holes: check the length, fill lists from the front.',
  ],
  [/call target/, 'It calls another function than before: pass the same one, or branch outside of the hot loop.'],
  [/nsufficient type feedback/, 'It comes to code that had not run before it was optimised.'],
  [
    /dependen/,
    'Something that it relied on was changed: a prototype, a constant field. Do not change classes while serving.',
  ],
];
