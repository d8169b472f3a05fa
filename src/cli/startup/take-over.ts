/** Lets the daemon change its keeper, from its own guard to systemd and back, while its workers go on. */
import { type DroverClient, isAnswering } from '../../client/index.ts';
import { awaitDaemonEnd } from '../await-daemon-end.ts';
import type { CliContext } from '../context.ts';
import { removeUnit } from './install.ts';
import { systemctl } from './systemctl.ts';
import type { UnitPlace } from './unit-place.ts';

/**
 * Ends the daemon, if one runs that is not the unit already, and starts the unit. True when there was one whose workers
 * went on. When systemd does not start it, the unit is removed and a daemon that ran is started again as it was: its
 * workers must not be left alone. Throws what `systemctl` throws.
 */
export const startAsUnit = async (context: CliContext, place: UnitPlace, home: string): Promise<boolean> => {
  const client = await context.connect();
  const hadDaemon = await isAnswering(client);
  if (hadDaemon) {
    const status = await client.daemonStatus();
    if (status.unit === place.unit) return false;
    await client.shutdown(true);
    await awaitDaemonEnd(client, status.pid);
  }
  try {
    await systemctl(place.scope, 'start', place.unit);
  } catch (error) {
    await giveUp(context, place, home, hadDaemon);
    throw error;
  }
  return hadDaemon;
};

const giveUp = async (context: CliContext, place: UnitPlace, home: string, hadDaemon: boolean): Promise<void> => {
  try {
    await systemctl(place.scope, 'stop', place.unit);
    await removeUnit(place, home);
  } catch {
    // What is told is why it did not start; a unit that is left tries again, and takes over when it can.
  }
  if (hadDaemon) await context.ensure();
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
