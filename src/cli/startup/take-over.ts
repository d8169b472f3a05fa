/** Lets the daemon change its keeper, from its own guard to systemd and back, while its workers go on. */
import { type DroverClient, isAnswering, readBootUnit, writeBootUnit } from '../../client/index.ts';
import type { DaemonDocument } from '../../protocol/index.ts';
import { awaitDaemonEnd } from '../await-daemon-end.ts';
import type { CliContext } from '../context.ts';
import { deleteUnit, disableUnit } from './install.ts';
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
    if (await isUnit(status, place)) return false;
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
    if (await disableUnit(place, home)) await deleteUnit(place);
  } catch {
    // What is told is why it did not start; a unit that is left tries again, and takes over when it can.
  }
  if (hadDaemon) await context.ensure();
};

export interface Removal {
  /** False when there was no unit. */
  readonly removed: boolean;
  /** Of the daemon that goes on without the unit; null where none ran as it. */
  readonly pid: number | null;
}

/**
 * Removes the unit; a daemon that ran as it goes on with a guard of its own. What speaks against it is found before that
 * daemon is ended, and whatever fails afterwards, it is started again: its workers must not be left alone. Throws as
 * {@link disableUnit} and {@link deleteUnit} do.
 */
export const endAsUnit = async (context: CliContext, place: UnitPlace, home: string): Promise<Removal> => {
  const client = await context.connect();
  const removed = await disableUnit(place, home);
  const ended = await endUnitDaemon(client, place);
  try {
    if (removed) await deleteUnit(place);
    if (readBootUnit(home)?.scope === place.scope) writeBootUnit(home, null);
  } catch (error) {
    if (ended) await context.ensure();
    throw error;
  }
  return { removed, pid: ended ? (await (await context.ensure()).daemonStatus()).pid : null };
};

/**
 * Whether that daemon is that unit. Not by its name alone: a unit of the machine (with `User=`) may have the name of one
 * that the user's own manager has.
 */
const isUnit = async ({ pid, unit }: DaemonDocument, place: UnitPlace): Promise<boolean> => {
  if (unit !== place.unit) return false;
  const shown = await systemctl(place.scope, 'show', '--property=MainPID', '--value', place.unit);
  return shown.trim() === String(pid);
};

/** Ends the unit's daemon; its workers go on. False when the daemon is not that unit. */
const endUnitDaemon = async (client: DroverClient, place: UnitPlace): Promise<boolean> => {
  if (!(await isAnswering(client))) return false;
  const status = await client.daemonStatus();
  if (!(await isUnit(status, place))) return false;
  await client.shutdown(true);
  await awaitDaemonEnd(client, status.pid);
  return true;
};
