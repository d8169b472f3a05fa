/**
 * What of the ladder outlives the daemon: slots in quarantine, with the evidence, and when workers were replaced, so that the
 * limit per hour holds over a restart. What was under way is not: who is still unwell is found to be so again.
 */
import { newHealing, type HealState } from '../core/index.ts';
import type { App } from '../supervisor/index.ts';

export interface Timeline {
  /** By how much the wall clock is ahead of the monotonic one of this process. */
  readonly aheadMs: number;
}

type Kept = Pick<HealState, 'slots' | 'replacedAt' | 'unhelpful'>;

export const healingKey = (app: App): string => `healing:${app.app}`;

const quarantined = ({ slots }: Kept): Kept['slots'] =>
  Object.fromEntries(Object.entries(slots).filter(([, { phase }]) => phase === 'quarantined'));

/** Equal for states of which the same lasts. */
export const keptOf = (state: Kept): string =>
  JSON.stringify([Object.keys(quarantined(state)), state.replacedAt, state.unhelpful]);

export const writeHealing = (state: Kept, { aheadMs }: Timeline): string => {
  const { replacedAt, unhelpful } = state;
  const kept: Kept = {
    slots: quarantined(state),
    replacedAt: replacedAt.map((at) => at + aheadMs),
    unhelpful: unhelpful.map((one) => ({ ...one, at: one.at + aheadMs })),
  };
  return JSON.stringify(kept);
};

/** A new state where nothing was kept, or what was cannot be read. */
export const readHealing = (text: string | undefined, { aheadMs }: Timeline): HealState => {
  if (text === undefined) return newHealing();
  try {
    const { slots, replacedAt, unhelpful } = JSON.parse(text) as Kept;
    return {
      slots,
      replacedAt: replacedAt.map((at) => at - aheadMs),
      unhelpful: unhelpful.map((one) => ({ ...one, at: one.at - aheadMs })),
    };
  } catch {
    return newHealing();
  }
};
