/** What was configured for the daemon itself: kept in the store, so that it holds after a restart too. */
import { DEFAULT_BUDGET } from '../logs/index.ts';
import type { DaemonConfig } from '../protocol/index.ts';
import type { Store } from '../store/index.ts';

export interface DaemonSettings {
  /** What holds now. */
  get(): DaemonConfig;
  put(config: DaemonConfig): void;
}

const KEY = 'daemon-config';
const DAY_MS = 86_400_000;
const DEFAULTS: DaemonConfig = {
  logs: DEFAULT_BUDGET,
  health: null,
  alerts: [],
  otlp: null,
  metrics: { quotaBytes: 256 * 1024 * 1024, keepMs: 30 * DAY_MS },
};

export const openDaemonSettings = ({ meta }: Pick<Store, 'meta'>): DaemonSettings => {
  const known = meta.find(KEY);
  // An older daemon may have written it, with fewer settings.
  let current: DaemonConfig = known === undefined ? DEFAULTS : { ...DEFAULTS, ...(JSON.parse(known) as DaemonConfig) };
  return {
    get: () => current,
    put(config) {
      meta.put(KEY, JSON.stringify(config));
      current = config;
    },
  };
};
