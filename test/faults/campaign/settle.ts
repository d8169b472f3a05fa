/** After a fault: waits until everything is as it should be, and says what is not. */
import type { EventType } from '../../../src/protocol/index.ts';
import { eventually } from '../../support/eventually.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import { auditApp, auditLog } from './audit.ts';
import { Violation } from './fault.ts';
import { findTroubles } from './invariants.ts';
import type { World } from './world.ts';

const SETTLED_WITHIN_MS = 30_000;

export async function settle(
  world: World,
  apps: readonly AppUnderLoad[],
  provoked: readonly EventType[],
): Promise<void> {
  await Promise.all(apps.map(async (app) => settleApp(world, app, provoked)));
  const defects = auditLog(world);
  if (defects.length > 0) throw new Violation(defects.join('; '));
}

async function settleApp(world: World, app: AppUnderLoad, provoked: readonly EventType[]): Promise<void> {
  let troubles: readonly string[] = [];
  try {
    await eventually(
      `${app.name} settles`,
      async () => {
        troubles = await findTroubles(world, app);
        return troubles.length === 0;
      },
      { withinMs: SETTLED_WITHIN_MS, everyMs: 40 },
    );
  } catch (error) {
    throw new Violation(`${app.name} did not settle: ${troubles.join('; ') || String(error)}`, { cause: error });
  }
  const unexplained = await auditApp(world, app, provoked);
  if (unexplained.length > 0) throw new Violation(unexplained.join('; '));
}

/** The daemon answers and its guard stands. */
export async function settleDaemon(world: World): Promise<void> {
  await eventually('the daemon answers', async () => (await world.daemonPid()) > 0, { withinMs: SETTLED_WITHIN_MS });
  await world.guardPid();
}
