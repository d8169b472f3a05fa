/** What a configuration comes to at this moment: the Node that is installed now, the script that is there now. */
import { statSync } from 'node:fs';
import { assertRunnable, getNode } from '../config/index.ts';
import { DroverError, type AppConfig } from '../protocol/index.ts';
import { appEnvironment, type ResolvedCommand } from '../supervisor/index.ts';

/** Throws DROVER_NODE_MISSING, DROVER_LOADER_NEEDED, DROVER_SCRIPT_MISSING. */
export const resolveCommand = async (config: AppConfig): Promise<ResolvedCommand> => {
  const { command } = config;
  if (command.kind === 'program') return { argv: command.argv, agentAt: null, nodeVersion: null };
  const env = appEnvironment(config);
  const node = await getNode(command.node, env, config.cwd);
  assertRunnable(config, node.version, env['NODE_OPTIONS'] ?? '');
  if (statSync(command.script, { throwIfNoEntry: false }) === undefined) {
    throw new DroverError('DROVER_SCRIPT_MISSING', { script: command.script });
  }
  return {
    argv: [node.path, ...command.nodeArgs, command.script, ...command.args],
    agentAt: 1 + command.nodeArgs.length,
    nodeVersion: node.version,
  };
};
