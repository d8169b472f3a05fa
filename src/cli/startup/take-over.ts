/** Lets the daemon change its keeper, from its own guard to systemd and back, while its workers go on. */
import { type DroverClient, isAnswering } from '../../client/index.ts';
import { awaitDaemonEnd } from '../await-daemon-end.ts';
import { systemctl } from './systemctl.ts';
import type { UnitPlace } from './unit-place.ts';

/**
 * Ends the daemon, if one runs that is not the unit already, and starts the unit. True when there was one whose workers
 * went on.
 */
export const startAsUnit = async (client: DroverClient, { scope, unit }: UnitPlace): Promise<boolean> => {
  const hadDaemon = await isAnswering(client);
  if (hadDaemon) {
    const status = await client.daemonStatus();
    if (status.unit === unit) return false;
    await client.shutdown(true);
    await awaitDaemonEnd(client, status.pid);
  }
  await systemctl(scope, 'start', unit);
  return hadDaemon;
};

/** Ends the unit's daemon; its workers go on. False when the daemon is not that unit. */
export const endUnitDaemon = async (client: DroverClient, { unit }: UnitPlace): Promise<boolean> => {
  if (!(await isAnswering(client))) return false;
  const status = await client.daemonStatus();
  if (status.unit !== unit) return false;
  await client.shutdown(true);
  await awaitDaemonEnd(client, status.pid);
  return true;
};
