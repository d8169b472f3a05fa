/** A soak that never was, with and without a leak in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../support/random.ts';
import { judgeHoldings, judgeMemory, resolutionOf, MEASURES } from './judge.ts';
import type { RoundPoint, SoakResult } from './soak-result.ts';

const ROUNDS = 60;
const WARM_UP = 10;

interface Wish {
  /** MB an hour of what is alive. */
  readonly leak?: number;
  /** Descriptors more from this round on. */
  readonly lostFrom?: number;
}

/** Half an hour; memory rises by 10 MB in the warm-up, as it does in real ones. */
function soak({ leak = 0, lostFrom = Infinity }: Wish = {}): SoakResult {
  const random = seeded(3);
  const points = Array.from({ length: ROUNDS }, (_, round): RoundPoint => {
    const atHours = ((round + 1) * 30) / 3600;
    const grown = 1e6 * (10 * Math.min(1, round / WARM_UP) + leak * atHours);
    const noisy = (level: number, noise: number): number => level + grown + (random() - 0.5) * noise;
    return {
      atHours,
      rssBytes: noisy(70e6, 2e6),
      pssBytes: noisy(40e6, 2e6),
      privateDirtyBytes: noisy(30e6, 2e6),
      aliveBytes: noisy(14e6, 0.2e6),
      codeBytes: noisy(3e6, 0.1e6),
      restingBytes: noisy(24e6, 0.5e6),
    };
  });
  const lost =
    lostFrom < ROUNDS
      ? [{ fromRound: lostFrom, pid: 1, descriptors: { pipe: 12, file: 6 }, threads: 12, children: 6 }]
      : [];
  return {
    minutes: 30,
    warmUpRounds: WARM_UP,
    daemon: {
      name: 'daemon',
      points,
      holdings: [
        { fromRound: 0, pid: 1, descriptors: { pipe: 10, file: 6 }, threads: 11, children: 6 },
        { fromRound: WARM_UP - 1, pid: 1, descriptors: { pipe: 11, file: 6 }, threads: 12, children: 6 },
        ...lost,
      ],
    },
    workers: [],
    workersAfterKill: [],
    areSameProcesses: true,
    answered: 1,
    lostWithKilled: 0,
    lostUnexplained: [],
    activities: [],
  };
}

describe('the judgement of a soak', () => {
  it('finds no growth in a run without a leak, and leaves the warm-up out', () => {
    const findings = judgeMemory(soak());
    assert.deepEqual(
      findings.map(({ measure, growth, points }) => ({ measure, growth, points })),
      MEASURES.map((measure) => ({
        measure,
        growth: 'none',
        points: ROUNDS - WARM_UP,
      })),
    );
  });

  it('finds a leak of 1 MB an hour in what is alive, and its size', () => {
    const alive = judgeMemory(soak({ leak: 1 })).find(({ measure }) => measure === 'aliveBytes');
    assert.equal(alive?.growth, 'rises');
    assert.ok(alive.slope !== null && Math.abs(alive.slope.slope - 1) < 0.3, JSON.stringify(alive.slope));
    assert.ok(resolutionOf(alive.slope) < 0.5);
  });

  it('finds a leak of 6 MB an hour in resident memory as well', () => {
    const growths = judgeMemory(soak({ leak: 6 })).map(({ growth }) => growth);
    assert.deepEqual(new Set(growths), new Set(['rises']));
  });

  it('says nothing about a slope from a handful of rounds', () => {
    const { daemon, ...rest } = soak();
    const short = { ...rest, daemon: { ...daemon, points: daemon.points.slice(0, WARM_UP + 5) } };
    assert.deepEqual(new Set(judgeMemory(short).map(({ growth }) => growth)), new Set(['unknown']));
  });

  it('finds descriptors constant where they are', () => {
    const [finding] = judgeHoldings(soak());
    assert.deepEqual([finding?.compared, finding?.differences], [ROUNDS - WARM_UP - 1, []]);
  });

  it('names each round and kind in which something is different', () => {
    const [finding] = judgeHoldings(soak({ lostFrom: 57 }));
    assert.deepEqual(finding?.differences, [
      { round: 58, more: { pipe: 1 } },
      { round: 59, more: { pipe: 1 } },
      { round: 60, more: { pipe: 1 } },
    ]);
  });
});
