/** Whether a program lies in the folders of a version manager, from which versions come and go. Pure. */

/** By the shape of the path, wherever the manager's folder is. */
const SHAPES: readonly (readonly [shape: RegExp, manager: string])[] = [
  [/\/\.?nvm\/versions\/node\//, 'nvm'],
  [/\/\.?fnm\/node-versions\/|\/fnm_multishells\//, 'fnm'],
  [/\/\.?volta\/(tools\/image|bin)\//, 'Volta'],
  [/\/\.?asdf\/(installs|shims)\//, 'asdf'],
  [/\/mise\/(installs|shims)\//, 'mise'],
  [/\/rtx\/(installs|shims)\//, 'rtx'],
  [/\/n\/versions\/node\//, 'n'],
  [/\/\.?nodenv\/(versions|shims)\//, 'nodenv'],
  [/\/\.?nvs\/node\//, 'nvs'],
  [/\/\.nodebrew\//, 'nodebrew'],
  [/\/\.proto\/(tools|shims|bin)\//, 'proto'],
  [/\/pnpm\/nodejs\//, 'pnpm'],
  [/\/\.version-fox\//, 'vfox'],
  [/\/Cellar\/node(@\d+)?\//, 'Homebrew'],
  [/^\/nix\/store\//, 'Nix'],
  [/^\/snap\/node\//, 'snap'],
  [/\/_npx\//, "npx's cache"],
];

/** Where a manager says that its folder is. */
const FOLDERS: readonly (readonly [variable: string, manager: string])[] = [
  ['NVM_DIR', 'nvm'],
  ['FNM_DIR', 'fnm'],
  ['VOLTA_HOME', 'Volta'],
  ['ASDF_DATA_DIR', 'asdf'],
  ['MISE_DATA_DIR', 'mise'],
  ['NODENV_ROOT', 'nodenv'],
  ['NVS_HOME', 'nvs'],
  ['PROTO_HOME', 'proto'],
];

/** The manager's name, or null. `path` is free of symbolic links. */
export const findVersionManager = (path: string, env: Readonly<Record<string, string | undefined>>): string | null => {
  const shape = SHAPES.find(([pattern]) => pattern.test(path));
  if (shape !== undefined) return shape[1];
  const folder = FOLDERS.find(([variable]) => {
    const root = env[variable]?.replace(/\/+$/, '');
    return root?.startsWith('/') && path.startsWith(`${root}/`);
  });
  return folder?.[1] ?? null;
};
