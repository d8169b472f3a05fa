/** Whose logs are meant: as with events, those of an app outlive it. */
import type { Target } from '../../api/index.ts';
import { DroverError } from '../../protocol/index.ts';
import type { AppIndex } from './app-index.ts';
import type { ServiceParts } from './parts.ts';

export interface LogTarget {
  readonly app: string;
  /** Null: all that it ever had. */
  readonly slots: readonly number[] | null;
  readonly isDeleted: boolean;
}

/** `null` and `all` are the apps that there are. Throws DROVER_APP_UNKNOWN where there are no files either, DROVER_WORKER_UNKNOWN. */
export const findLogTargets = (
  { logs }: Pick<ServiceParts, 'logs'>,
  index: AppIndex,
  target: Target | null,
): readonly LogTarget[] => {
  try {
    const chosen = index.resolve(target ?? { kind: 'all' });
    return chosen.map(({ app, slots }) => ({ app: app.app, slots, isDeleted: false }));
  } catch (error) {
    const isUnknown = error instanceof DroverError && error.code === 'DROVER_APP_UNKNOWN';
    if (!isUnknown || target === null || target.kind === 'all' || !logs.has(target.app)) throw error;
    return [{ app: target.app, slots: target.kind === 'worker' ? [target.slot] : null, isDeleted: true }];
  }
};
