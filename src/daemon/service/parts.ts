/** What all parts of the service are made of. */
import type { Logs } from '../../logs/index.ts';
import type { Clock, DaemonDocument, UpgradeStartDocument } from '../../protocol/index.ts';
import type { Store } from '../../store/index.ts';
import type { App, Supervisor } from '../../supervisor/index.ts';
import type { DaemonSettings } from '../daemon-settings.ts';
import type { Care, Health } from '../../health/index.ts';
import type { Operations } from '../operations.ts';

export interface ServiceParts {
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly logs: Logs;
  readonly operations: Operations;
  readonly settings: DaemonSettings;
  readonly health: Pick<Health, 'describe'>;
  readonly care: Omit<Care, 'close'>;
  readonly clock: Clock;
  readonly logHome: string;
  readonly status: () => DaemonDocument;
  /** Takes over workers of this app that ran before it was known. */
  readonly adoptStrays: (app: App) => void;
  readonly onShutdown: (keepWorkers: boolean) => void;
  /** Becomes the program in this folder. */
  readonly onUpgrade: (program: string) => Promise<UpgradeStartDocument>;
}
