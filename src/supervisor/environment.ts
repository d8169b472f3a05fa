/**
 * The environment of a worker, computed anew at each spawn and replaced, never merged: a variable that was removed
 * from the configuration is gone. The daemon's own environment never leaks into it.
 */
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { parseEnv } from 'node:util';
import { DroverError, type AppConfig } from '../protocol/index.ts';
import { identityEnvironment } from './identity.ts';

export interface WorkerIdentity {
  readonly app: string;
  readonly slot: number;
  readonly release: number;
}

/**
 * The app's own variables: caller's (where inherited), then those of the user it runs as, then the file's, then the
 * configured ones. Throws DROVER_CONFIG_UNREADABLE, DROVER_USER_UNKNOWN.
 */
export const appEnvironment = (config: AppConfig): Record<string, string> => {
  const env: Record<string, string> = {
    ...config.callerEnv,
    ...identityEnvironment(config),
    ...(config.envFile === null ? {} : readEnvFile(config.envFile)),
    ...config.env,
  };
  const paths = [...config.binPaths, env['PATH'] ?? ''].filter((path) => path !== '');
  return paths.length === 0 ? env : { ...env, PATH: paths.join(delimiter) };
};

export const workerEnvironment = (config: AppConfig, worker: WorkerIdentity): Record<string, string> => {
  const env = appEnvironment(config);
  const [port] = config.ports;
  if (port !== undefined) env['PORT'] ??= String(port);
  env['DROVER_APP'] = worker.app;
  env['DROVER_WORKER'] = `${worker.app}/${worker.slot}`;
  env['DROVER_SLOT'] = String(worker.slot);
  env['DROVER_RELEASE'] = String(worker.release);
  // The names by which apps written for pm2 tell their instances apart.
  env['NODE_APP_INSTANCE'] = String(worker.slot);
  env['pm_id'] = String(worker.slot);
  return env;
};

const readEnvFile = (file: string): NodeJS.Dict<string> & Record<string, string> => {
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (cause) {
    throw new DroverError(
      'DROVER_CONFIG_UNREADABLE',
      { file, message: cause instanceof Error ? cause.message : String(cause) },
      { cause },
    );
  }
};
