/** Several workers of a program that our agent does not come to would have to bind one port without our help. */
import { DroverError, type AppConfig } from '../../protocol/index.ts';

/** Programs that usually run a Node app, to which the agent comes by `NODE_OPTIONS`; so does what a package brought. */
const MAYBE_NODE = /(^|\/)(node|npm|npx|pnpm|yarn|sh|bash|dash|[^/]+\.sh)$|\/node_modules\//;

/** Throws DROVER_INSTANCES_REFUSED where several workers would have to bind one port without our help. */
export const refuseInstances = (
  { name, command, ports }: AppConfig,
  instances: number,
  isListening = ports.length > 0,
): void => {
  if (instances <= 1 || command.kind !== 'program') return;
  const isForeign = !MAYBE_NODE.test(command.argv[0]);
  if (isForeign && isListening) throw new DroverError('DROVER_INSTANCES_REFUSED', { app: name, instances });
};
