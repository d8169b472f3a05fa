import { copyInto, installedProgram } from '../../program/index.ts';
import { type DaemonDocument, DroverError, type UpgradeStartDocument } from '../../protocol/index.ts';
import type { DroverClient } from '../../client/index.ts';
import { awaitUpgrade } from '../await-upgrade.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

/** Copies the installed program into the daemon's home. Throws DROVER_UPGRADE_IMPOSSIBLE where that cannot be. */
const prepare = ({ home }: DaemonDocument): string => {
  const prepared = copyInto(home, installedProgram());
  if (prepared.program === null) throw new DroverError('DROVER_UPGRADE_IMPOSSIBLE', { message: prepared.reason });
  return prepared.program.root;
};

const begin = async (client: DroverClient, program: string): Promise<UpgradeStartDocument> => {
  try {
    return await client.upgrade(program);
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'DROVER_ROUTE_UNKNOWN') throw error;
    throw new DroverError('DROVER_UPGRADE_IMPOSSIBLE', { message: 'its version cannot do that yet' }, { cause: error });
  }
};

export const command = defineCommand<{ json?: boolean }>({
  args: [],
  options: [JSON_OPTION],
  details:
    'Lets the daemon become the installed version, in place: same pid, and workers do not notice. The new version tests itself first, on a copy of the state; where it fails (exit 1) nothing happens, and where it does not come up all the same the one before serves again (exit 7). Changes that are under way go on. A daemon that runs this version already is left alone. An older version is refused.',
  run: async (context, { options }) => {
    const client = await context.connect({ isUpgrade: true });
    const before = await client.daemonStatus();
    const { upgrade } = await begin(client, prepare(before));
    const after = upgrade === null ? before : await awaitUpgrade(client, before, upgrade);
    if (options.json) context.print(JSON.stringify(after));
    else if (upgrade === null) context.print(`The daemon (pid ${after.pid}) runs ${after.version} already.`);
    else context.print(`Upgraded from ${upgrade.from} to ${upgrade.to} (pid ${after.pid}).`);
    return 0;
  },
});
