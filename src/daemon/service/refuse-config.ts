/** What only this machine can tell of a configuration: asked before anything is written or started. */
import type { AppConfig } from '../../protocol/index.ts';
import { identityOf, instancesOf } from '../../supervisor/index.ts';
import { refuseInstances } from './refuse-instances.ts';

/** Throws DROVER_INSTANCES_REFUSED, DROVER_USER_UNKNOWN. */
export const refuseConfig = (config: AppConfig): void => {
  refuseInstances(config, instancesOf(config));
  identityOf(config);
};
