/**
 * Finds the Node that an app asks for among the installed ones: PATH, then nvm, fnm, volta and mise, then the app's own
 * `node_modules`. Never downloads. Called again for each spawn, so that an upgrade takes effect without a restart of
 * Drover; what a binary answered is remembered for as long as the file is the same.
 */
import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DroverError } from '../protocol/index.ts';
import type { FoundNode } from './get-node.ts';
import { compareVersions, isVersion } from './node-version.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** See `get-node.ts`, which is what others call. */
export const findNode = async (wanted: string | null, env: Environment, cwd: string): Promise<FoundNode> => {
  for (const path of await listInPath(env, wanted !== null)) {
    const version = await readVersion(path, cwd);
    if (version !== null && (wanted === null || isVersion(version, wanted))) return { path, version };
  }
  if (wanted === null) return { path: process.execPath, version: process.versions.node };
  for (const list of [listManaged, listInstalledBeside]) {
    const candidates = (await list(env, cwd)).filter(({ version }) => isVersion(version, wanted));
    const [best] = candidates.sort((a, b) => compareVersions(b.version, a.version));
    if (best !== undefined) return best;
  }
  throw new DroverError('DROVER_NODE_MISSING', {
    wanted,
    looked: "PATH, nvm, fnm, volta, mise, the app's node_modules",
  });
};

/** Shims of version managers answer differently in each directory, so a wanted version is looked for behind them. */
const SHIMS = /[/\\](\.volta[/\\]bin|mise[/\\]shims|\.asdf[/\\]shims)[/\\]?$/;

const listInPath = async (env: Environment, skipShims: boolean): Promise<string[]> => {
  const directories = (env['PATH'] ?? '').split(delimiter).filter((part) => part !== '');
  const paths = directories.filter((part) => !(skipShims && SHIMS.test(part))).map((part) => join(part, 'node'));
  const usable = await Promise.all(paths.map(isExecutable));
  return paths.filter((_, index) => usable[index]);
};

const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // Not there, or not for us: the next candidate.
  }
};

const listManaged = async (env: Environment): Promise<FoundNode[]> => {
  const home = env['HOME'] ?? '/nonexistent';
  const shared = env['XDG_DATA_HOME'] ?? join(home, '.local/share');
  const nodeVersions = 'node-versions';
  const places: readonly (readonly [root: string, binary: string])[] = [
    [join(env['NVM_DIR'] ?? join(home, '.nvm'), 'versions/node'), 'bin/node'],
    [join(env['FNM_DIR'] ?? join(shared, 'fnm'), nodeVersions), 'installation/bin/node'],
    [join(home, '.fnm', nodeVersions), 'installation/bin/node'],
    [join(env['VOLTA_HOME'] ?? join(home, '.volta'), 'tools/image/node'), 'bin/node'],
    [join(env['MISE_DATA_DIR'] ?? join(shared, 'mise'), 'installs/node'), 'bin/node'],
  ];
  const found = await Promise.all(
    places.map(async ([root, binary]) => {
      const names = await readdir(root).catch(() => []); // That manager is not installed.
      const versions = names.filter((name) => /^v?\d+\.\d+\.\d+$/.test(name));
      const nodes = versions.map((name) => ({ path: join(root, name, binary), version: name.replace(/^v/, '') }));
      const usable = await Promise.all(nodes.map(({ path }) => isExecutable(path)));
      return nodes.filter((_, index) => usable[index]);
    }),
  );
  return found.flat();
};

const listInstalledBeside = async (_env: Environment, cwd: string): Promise<FoundNode[]> => {
  const found: FoundNode[] = [];
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const path = join(directory, 'node_modules/node/bin/node');
    const version = (await isExecutable(path)) ? await readVersion(path, cwd) : null;
    if (version !== null) found.push({ path, version });
    if (directory === dirname(directory)) return found;
  }
};

const run = promisify(execFile);
/** By path, inode and time of change. Bounded by the number of Nodes on the machine. */
const answers = new Map<string, string | null>();

/** What `node --version` says; null where that is no Node. */
const readVersion = async (path: string, cwd: string): Promise<string | null> => {
  if (path === process.execPath) return process.versions.node;
  const real = await realpath(path);
  const { ino, mtimeMs, size } = await stat(real);
  // A shim answers for the directory it is asked in.
  const key = [path, real, ino, mtimeMs, size, SHIMS.test(dirname(path)) ? cwd : ''].join('\0');
  const known = answers.get(key);
  if (known !== undefined) return known;
  // NODE_OPTIONS of the caller may name files that are not for this Node.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const version = await run(path, ['--version'], { cwd, timeout: 5_000, env }).then(
    ({ stdout }) => /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null,
    () => null, // It does not run: not a Node for us.
  );
  answers.set(key, version);
  return version;
};
