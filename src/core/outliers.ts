/**
 * Outlier ejection: a worker whose real traffic shows that something is wrong with it gets no new connections for a while.
 * Semantics of Envoy's outlier detection, with what a host of a few workers needs beside it (`outlier-errors.ts`,
 * `outlier-latency.ts`).
 *
 *   serving ──errors, or slower than its peers──▶ ejected (base × how often) ──until──▶ returning (slow start) ──▶ serving
 *
 * Refuses to make an outage worse: never more than `maxEjected` are out, never the last one; when most of the workers
 * show the same, the cause is outside of them, and none is ejected. Sets no weights itself: it answers with effects.
 */
import type { OutlierConfig } from '../protocol/index.ts';
import type { Step } from './machine.ts';
import { judgeErrors } from './outlier-errors.ts';
import { EVIDENCE_POLICY, forget, gather, isFailing, routedPart } from './outlier-evidence.ts';
import type { Evidence, EvidencePolicy, OutlierSample, Verdict, VerdictKind } from './outlier-evidence.ts';
import { findSlow } from './outlier-latency.ts';
import { workersIn } from './worker-share.ts';

export interface OutlierPolicy extends EvidencePolicy {
  /** How long a returning worker takes to its full share, and with how much of it it begins. */
  readonly slowStartMs: number;
  readonly firstFactor: number;
  /** How long nobody is ejected after most workers were bad at once. */
  readonly calmMs: number;
}

export const OUTLIER_POLICY: OutlierPolicy = {
  ...EVIDENCE_POLICY,
  slowStartMs: 10_000,
  firstFactor: 0.1,
  calmMs: 6000,
};

export interface Ejection {
  readonly at: number;
  readonly untilAt: number;
  readonly kind: VerdictKind;
  readonly reason: string;
}

interface OutlierWorker {
  readonly evidence: Evidence;
  readonly ejection: Ejection | null;
  /** When it came back; null once it has its full share again. */
  readonly returnedAt: number | null;
  /** Ejections that still count: one is forgotten for each `baseEjectionMs` without another. */
  readonly ejections: number;
  readonly countsFrom: number;
}

/** Plain data, by slot. */
export interface OutlierState {
  readonly workers: Readonly<Record<number, OutlierWorker>>;
  /** Most workers were bad: nobody is ejected until then. */
  readonly outsideUntil: number | null;
  /** Why somebody bad was not ejected, as it was told last. */
  readonly held: string | null;
  /** Somebody seems slow: routes are to be asked for, because clients that ask for something else look the same. */
  readonly wantsRoutes: boolean;
}

interface Concerns {
  readonly slot: number;
  readonly generation: number;
}

export type OutlierEffect =
  /** No new connections for it, and its kept-alive ones renewed. `ejections`: how many times by now. */
  | (Concerns & {
      readonly type: 'eject';
      readonly untilAt: number;
      readonly reason: string;
      readonly ejections: number;
    })
  /** It may have connections again: `factor` (0–1) of its share, more with `factor` effects. */
  | (Concerns & { readonly type: 'return'; readonly factor: number; readonly reason: string })
  | (Concerns & { readonly type: 'factor'; readonly factor: number })
  /** Somebody is bad, and is not ejected. Said once as long as it is the same. */
  | { readonly type: 'held-back'; readonly reason: string; readonly slots: readonly number[] };

export type OutlierStep = Step<OutlierState, OutlierEffect>;

export const newOutliers = (): OutlierState => ({ workers: {}, outsideUntil: null, held: null, wantsRoutes: false });

/** The ejection of a slot's worker, for those who tell of it; null when it is in. */
export const ejectionOf = (state: OutlierState, slot: number): Ejection | null => state.workers[slot]?.ejection ?? null;

/** The share (0–1) of its weight that a slot's worker may have. */
export const factorOf = (state: OutlierState, slot: number, at: number, policy = OUTLIER_POLICY): number => {
  const worker = state.workers[slot];
  if (worker === undefined) return 1;
  return worker.ejection === null ? rampAt(worker, at, policy) : 0;
};

const rampAt = ({ returnedAt }: OutlierWorker, at: number, policy: OutlierPolicy): number => {
  if (returnedAt === null) return 1;
  return Math.min(1, Math.max(policy.firstFactor, (at - returnedAt) / policy.slowStartMs));
};

/** How many of `serving` workers may be out at a time: at least one of several, never all. Envoy ejects at least one as well. */
export const ejectionCap = (serving: number, { maxEjected }: Pick<OutlierConfig, 'maxEjected'>): number =>
  serving < 2 ? 0 : Math.min(serving - 1, Math.max(1, workersIn(maxEjected, serving)));

/** One sweep over the app's workers, every `config.intervalMs`. A slot that is not among the samples is forgotten. */
export const stepOutliers = (
  state: OutlierState,
  samples: readonly OutlierSample[],
  at: number,
  config: OutlierConfig,
  policy: OutlierPolicy = OUTLIER_POLICY,
): OutlierStep => new Sweep(state, samples, at, config, policy).run();

interface Row {
  readonly sample: OutlierSample;
  worker: OutlierWorker;
  isNew: boolean;
}

/** One sweep; lives only as long as the call. */
class Sweep {
  private readonly effects: OutlierEffect[] = [];
  private readonly rows: Row[];
  private readonly state: OutlierState;
  private readonly at: number;
  private readonly config: OutlierConfig;
  private readonly policy: OutlierPolicy;

  constructor(
    state: OutlierState,
    samples: readonly OutlierSample[],
    at: number,
    config: OutlierConfig,
    policy: OutlierPolicy,
  ) {
    this.state = state;
    this.at = at;
    this.config = config;
    this.policy = policy;
    this.rows = samples.map((sample) => this.take(sample));
  }

  run(): OutlierStep {
    this.returnWhoIsDue();
    this.keepWithinCap();
    const outsideUntil = this.config.enabled ? this.ejectWhoIsBad() : null;
    this.rampUp();
    const workers = Object.fromEntries(this.rows.map(({ sample, worker }) => [sample.slot, worker]));
    return { state: { workers, outsideUntil, held: this.held, wantsRoutes: this.wantsRoutes }, effects: this.effects };
  }

  private held: string | null = null;
  private wantsRoutes = false;

  private take(sample: OutlierSample): Row {
    const before = this.state.workers[sample.slot];
    const { evidence, isNew } = gather(before?.evidence, sample, this.at, this.policy);
    const isSame = before !== undefined && before.evidence.generation === sample.generation;
    if (!isSame) {
      // What another process did is not held against this one.
      const worker = { evidence, ejection: null, returnedAt: null, ejections: 0, countsFrom: this.at };
      if (before !== undefined && (before.ejection !== null || before.returnedAt !== null)) {
        this.effects.push({
          type: 'return',
          slot: sample.slot,
          generation: sample.generation,
          factor: 1,
          reason: 'another worker holds the slot',
        });
      }
      return { sample, worker, isNew: false };
    }
    const isForgiven =
      before.ejections > 0 && before.ejection === null && this.at - before.countsFrom >= this.config.baseEjectionMs;
    return {
      sample,
      worker: {
        ...before,
        evidence,
        ejections: before.ejections - (isForgiven ? 1 : 0),
        countsFrom: isForgiven ? this.at : before.countsFrom,
      },
      isNew,
    };
  }

  private get serving(): Row[] {
    return this.rows.filter(({ sample }) => sample.isServing);
  }

  private get ejected(): Row[] {
    return this.serving.filter(({ worker }) => worker.ejection !== null);
  }

  private giveBack(row: Row, reason: string): void {
    const { sample, worker } = row;
    row.worker = {
      ...worker,
      ejection: null,
      returnedAt: this.at,
      countsFrom: this.at,
      evidence: forget(worker.evidence),
    };
    row.isNew = false;
    const { slot, generation } = sample;
    this.effects.push({ type: 'return', slot, generation, factor: rampAt(row.worker, this.at, this.policy), reason });
  }

  private returnWhoIsDue(): void {
    for (const row of this.rows) {
      const { ejection } = row.worker;
      if (ejection === null) continue;
      if (!this.config.enabled) this.giveBack(row, 'outlier ejection is off');
      else if (this.at >= ejection.untilAt) this.giveBack(row, 'its time off is over');
    }
  }

  /** Workers went away meanwhile: those that are left are needed. */
  private keepWithinCap(): void {
    const out = this.ejected.sort((a, b) => a.worker.ejection!.untilAt - b.worker.ejection!.untilAt);
    const excess = out.length - ejectionCap(this.serving.length, this.config);
    for (const row of out.slice(0, Math.max(0, excess))) {
      this.giveBack(row, `only ${this.serving.length} workers serve, too few to do without it`);
    }
  }

  private judgeAll(candidates: readonly Row[]): Map<Row, Verdict> {
    const verdicts = new Map<Row, Verdict>();
    const evidences = candidates.map(({ worker }) => worker.evidence);
    const suspected = findSlow(evidences, this.policy);
    const canAsk = evidences.every(({ tellsRoutes }) => tellsRoutes);
    this.wantsRoutes = canAsk && suspected.some((verdict) => verdict !== null);
    // By route, where that can be told: a client that keeps its connection may ask one worker for what takes long.
    const slow = this.wantsRoutes ? findSlow(evidences.map(routedPart), this.policy) : suspected;
    for (const [index, row] of candidates.entries()) {
      // What is no news has been judged before.
      if (!row.isNew) continue;
      const evidence = evidences[index]!;
      const slowSweeps = suspected[index] === null ? 0 : evidence.slowSweeps + 1;
      row.worker = { ...row.worker, evidence: { ...evidence, slowSweeps } };
      const peers = evidences.filter((_, at) => at !== index);
      const isSlow = slowSweeps >= this.policy.slowSweeps;
      const verdict =
        judgeErrors(evidence, peers, this.config.consecutiveErrors, this.policy) ??
        (isSlow ? (slow[index] ?? null) : null);
      if (verdict !== null) verdicts.set(row, verdict);
    }
    return verdicts;
  }

  /** Ejects, or says why not. Returns until when the cause is taken to be outside. */
  private ejectWhoIsBad(): number | null {
    const inside = this.serving.filter(({ worker }) => worker.ejection === null);
    if (this.serving.length === 1) return this.tellOfTheOnlyOne(inside);
    const verdicts = this.judgeAll(inside);
    const cap = ejectionCap(this.serving.length, this.config);
    const out = this.ejected;
    const suspects = inside.filter((row) => verdicts.has(row) || isFailing(row.worker.evidence));
    const isOutside = suspects.length > inside.length / 2 && suspects.length + out.length > 1;
    if (isOutside || (suspects.length > 1 && suspects.length + out.length > cap && out.length === 0)) {
      return this.blameOutside(suspects, verdicts, inside.length, isOutside);
    }
    const { outsideUntil } = this.state;
    if (outsideUntil !== null && this.at < outsideUntil) {
      this.held = this.state.held;
      return outsideUntil;
    }
    // As many as there is room for, the surest first: what needs no comparison, then the rest.
    const bad = [...verdicts].sort(([, a], [, b]) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    for (const [row, verdict] of bad.slice(0, Math.max(0, cap - out.length))) this.eject(row, verdict);
    const left = bad.slice(Math.max(0, cap - out.length));
    const most = `${cap} of ${this.serving.length} workers may be off rotation, and ${this.ejected.length} are`;
    if (left.length > 0)
      this.holdBack(
        most,
        left.map(([{ sample }]) => sample.slot),
      );
    return null;
  }

  /** There are no peers to compare it with, and nobody could answer in its place. */
  private tellOfTheOnlyOne([row]: readonly Row[]): null {
    if (row !== undefined && isFailing(row.worker.evidence))
      this.holdBack('its only worker fails at least half of its requests', [row.sample.slot]);
    return null;
  }

  private blameOutside(
    suspects: readonly Row[],
    verdicts: ReadonlyMap<Row, Verdict>,
    inside: number,
    isOutside: boolean,
  ): number {
    const slots = suspects.map(({ sample }) => sample.slot);
    const example = suspects.map((row) => verdicts.get(row)?.reason).find((reason) => reason !== undefined);
    const because = `${suspects.length} of ${inside} workers are bad at once, so the cause is outside of them`;
    this.holdBack(because, slots, example === undefined ? '' : ` (${example})`);
    // Whoever was ejected first was no worse than the others, and is needed.
    if (isOutside) for (const row of this.ejected) this.giveBack(row, because);
    return this.at + this.policy.calmMs;
  }

  private holdBack(reason: string, slots: readonly number[], detail = ''): void {
    this.held = reason;
    if (this.state.held !== reason) this.effects.push({ type: 'held-back', reason: reason + detail, slots });
  }

  private eject(row: Row, { kind, reason }: Verdict): void {
    const { slot, generation } = row.sample;
    const ejections = row.worker.ejections + 1;
    const lastsMs = Math.min(this.config.maxEjectionMs, this.config.baseEjectionMs * ejections);
    const untilAt = this.at + lastsMs;
    row.worker = {
      ...row.worker,
      ejection: { at: this.at, untilAt, kind, reason },
      returnedAt: null,
      ejections,
      countsFrom: this.at,
      evidence: forget(row.worker.evidence),
    };
    this.effects.push({ type: 'eject', slot, generation, untilAt, reason, ejections });
  }

  private rampUp(): void {
    for (const row of this.rows) {
      const { returnedAt } = row.worker;
      if (returnedAt === null || returnedAt === this.at) continue;
      const { slot, generation } = row.sample;
      const factor = rampAt(row.worker, this.at, this.policy);
      if (factor >= 1) row.worker = { ...row.worker, returnedAt: null };
      this.effects.push({ type: 'factor', slot, generation, factor });
    }
  }
}

const ORDER: readonly VerdictKind[] = ['errors-in-a-row', 'success-rate', 'failures', 'latency'];
