/** Whether a Node can run a TypeScript entry by itself, and the error that names the loader when it cannot. */
import { type AppConfig, DroverError } from '../protocol/index.ts';
import { compareVersions } from './node-version.ts';

const TYPESCRIPT = /\.[cm]?tsx?$/;
/** Options that make Node run TypeScript, and the packages that do so when they are preloaded. */
const LOADER_OPTION = /^--(loader|experimental-loader|experimental-strip-types|experimental-transform-types)(=|$)/;
const LOADER_PACKAGE = /tsx|ts-node|tsm|tsimp|swc|esbuild|sucrase|jiti|babel|amaro|typescript|register|loader/;

/** Types are stripped without a flag from 22.18, and from 23.6. `.tsx` never is. */
export const canRunTypeScript = (version: string): boolean =>
  compareVersions(version, '23.6.0') >= 0 ||
  (compareVersions(version, '22.18.0') >= 0 && compareVersions(version, '23.0.0') < 0);

/** Throws DROVER_LOADER_NEEDED where the script is TypeScript and this Node has no way to run it. */
export const assertRunnable = (app: AppConfig, version: string, nodeOptions: string): void => {
  const { command } = app;
  if (command.kind !== 'node' || !TYPESCRIPT.test(command.script)) return;
  const hasLoader = [...command.nodeArgs, ...nodeOptions.split(/\s+/)].some(
    (option) => LOADER_OPTION.test(option) || LOADER_PACKAGE.test(option),
  );
  if (hasLoader || (canRunTypeScript(version) && !command.script.endsWith('x'))) return;
  throw new DroverError('DROVER_LOADER_NEEDED', { script: command.script, node: version });
};
