/**
 * What forbids the ladder to act (`healing.ts`): a table of rules, the first that holds decides, with the reason in words for
 * `drover why`. All of them are there so that healing never makes an outage worse. Pure; counts nothing itself.
 */
import type { Trouble, TroubleKind } from './worker-health.ts';
import type { HealPolicy, HealSituation, HealState, HealTrouble } from './healing-types.ts';
import { workersIn } from './worker-share.ts';

export const HOUR_MS = 3_600_000;

/**
 * Whether most workers having the same speaks for a cause outside of them. A loop that hangs, and memory that grows, are in
 * the program itself: workers that run the same have the same, and each is helped by being replaced.
 */
export const COMES_FROM_OUTSIDE: Readonly<Record<TroubleKind, boolean>> = {
  hang: false,
  memory: false,
  'budget-memory': false,
  'budget-load': true,
  liveness: true,
  check: true,
  ejected: true,
};

export interface LimitQuestion {
  readonly state: HealState;
  readonly slot: number;
  readonly trouble: HealTrouble;
  readonly situation: HealSituation;
  readonly policy: HealPolicy;
  readonly at: number;
}

export interface HealLimit {
  readonly when: string;
  /** Whether it is told (`heal-held-back`), or only a short wait. */
  readonly isTold: boolean;
  readonly find: (question: LimitQuestion) => string | null;
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** Slots that the ladder is busy with, without `except`. */
const acting = ({ slots }: HealState, except: number): number[] =>
  Object.entries(slots)
    .filter(([slot, { phase }]) => Number(slot) !== except && (phase === 'recovering' || phase === 'replacing'))
    .map(([slot]) => Number(slot));

export const unavailableCap = ({ maxUnavailable }: Pick<HealPolicy, 'maxUnavailable'>, slots: number): number =>
  Math.max(1, workersIn(maxUnavailable, slots));

/** In how many workers it is seen, where most have it and that speaks for a cause outside of them; null: it does not. */
export const findShared = (slot: number, { kind, key }: Trouble, { slots, troubles }: HealSituation): number | null => {
  if (!COMES_FROM_OUTSIDE[kind]) return null;
  const same = new Set([slot, ...troubles.filter((one) => one.key === key).map((one) => one.slot)]).size;
  return same < 2 || same * 2 <= slots ? null : same;
};

/** The first rule that holds decides. */
export const HEAL_LIMITS: readonly HealLimit[] = [
  {
    when: 'healing is switched off',
    isTold: true,
    find: ({ policy }) => (policy.enabled ? null : 'healing is switched off (heal.enabled)'),
  },
  {
    when: 'nothing was heard: missing data alone',
    isTold: true,
    find: ({ trouble }) =>
      trouble.isMissingData ? 'nothing is known of it, and that alone is no reason to act' : null,
  },
  {
    when: 'the daemon has just started, or was late itself',
    isTold: false,
    find: ({ situation: { daemonUpMs, sinceStallMs }, policy: { settleMs } }) =>
      daemonUpMs < settleMs
        ? `the daemon started ${seconds(daemonUpMs)} ago`
        : sinceStallMs !== null && sinceStallMs < settleMs
          ? `the daemon itself was late ${seconds(sinceStallMs)} ago`
          : null,
  },
  {
    when: 'an operation of the app is under way',
    isTold: true,
    find: ({ situation: { operation } }) => (operation === null ? null : `${operation} is under way`),
  },
  {
    when: 'most workers have the same trouble, and it is of a kind that comes from outside',
    isTold: true,
    find: ({ slot, trouble, situation }) => {
      const same = findShared(slot, trouble, situation);
      return same === null
        ? null
        : `${same} of ${situation.slots} workers have the same, so the cause is outside of them`;
    },
  },
  {
    when: 'most workers had the same a moment ago: the last to get well is not alone with it',
    isTold: false,
    find: ({ trouble: { sharedAt }, policy: { aloneMs }, at }) =>
      sharedAt !== null && at - sharedAt < aloneMs
        ? `most workers had the same ${seconds(at - sharedAt)} ago, so the cause is outside of them`
        : null,
  },
  {
    when: 'it has not lasted as long as others may take to show the same',
    isTold: false,
    find: ({ trouble, situation, policy, at }) => {
      const patienceMs = situation.slots > 1 ? policy.patienceMs[trouble.kind] : 0;
      return at - trouble.since < patienceMs ? `it has lasted ${seconds(at - trouble.since)} only` : null;
    },
  },
  {
    when: 'replacing workers of several slots for this reason has not helped lately',
    isTold: true,
    find: ({ state, trouble, policy, at }) => {
      const same = state.unhelpful.filter((one) => one.key === trouble.key && at - one.at < HOUR_MS);
      const slots = new Set(same.map(({ slot }) => slot)).size;
      if (slots < 2 || same.length < policy.quarantineAfter) return null;
      return `replacing workers for this has not helped ${same.length} times within the hour, so the cause is outside of them`;
    },
  },
  {
    when: 'as many workers as may be down are down or being seen to (maxUnavailable)',
    isTold: true,
    find: ({ state, slot, trouble, situation, policy }) => {
      const busy = new Set(acting(state, slot));
      // A worker that hangs serves nobody: seeing to it takes nothing away.
      if (trouble.kind !== 'hang') for (const one of situation.unready) if (one !== slot) busy.add(one);
      const cap = unavailableCap(policy, situation.slots);
      if (busy.size < cap) return null;
      return `${busy.size} of ${situation.slots} workers are down or being seen to, and no more than ${cap} may be`;
    },
  },
  {
    when: 'another worker of the app is being replaced: an app has one operation at a time',
    isTold: false,
    find: ({ state, slot }) => {
      const other = Object.entries(state.slots).find(
        ([one, { phase }]) => phase === 'replacing' && Number(one) !== slot,
      );
      return other === undefined ? null : `the worker of slot ${other[0]} is being replaced`;
    },
  },
  {
    when: 'as many workers as may be replaced within an hour were (perHour)',
    isTold: true,
    find: ({ state, policy, trouble, at }) => {
      // Who is about to run out of memory is ended by that otherwise, and not without loss.
      if (trouble.kind === 'memory') return null;
      const recent = state.replacedAt.filter((one) => at - one < HOUR_MS).length;
      return recent < policy.perHour ? null : `${recent} workers were replaced within the hour, the limit of the app`;
    },
  },
];

/** What forbids to do something about a trouble now; null: nothing does. */
export const findLimit = (question: LimitQuestion): { readonly reason: string; readonly isTold: boolean } | null => {
  for (const { isTold, find } of HEAL_LIMITS) {
    const reason = find(question);
    if (reason !== null) return { reason, isTold };
  }
  return null;
};
