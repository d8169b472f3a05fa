/** What may keep a unit from working at a later boot, or make it a danger, in sentences for whoever installs it. */
import { realpathSync, statSync } from 'node:fs';
import { findVersionManager } from './version-manager.ts';

export interface Programs {
  readonly node: string;
  /** The daemon's entry file. */
  readonly entry: string;
  /** The command that is to be run again after a change. */
  readonly command: string;
  /** The unit runs as root. */
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const findWarnings = (programs: Programs): string[] => [
  ...findPassing(programs),
  ...(programs.isRoot ? findForeign(programs) : []),
];

const findPassing = ({ node, entry, command, env }: Programs): string[] => {
  const manager = findVersionManager(realpathSync(node), env);
  if (manager !== null)
    return [
      `The unit names ${node}, which ${manager} manages: once that version is removed, systemd cannot start Drover any more. Install Node for the whole machine (a package of the system, or under /usr/local) and run \`<that node> ${command} startup\`; or run \`drover startup\` again before each removal.`,
    ];
  const keeper = findVersionManager(realpathSync(entry), env);
  if (keeper === null) return [];
  return [
    `The unit names ${entry}, which belongs to ${keeper} and may be removed with it. Install Drover for the whole machine (\`npm install -g drover\` with a Node of the system) and run \`drover startup\` again.`,
  ];
};

const findForeign = ({ node, entry }: Programs): string[] =>
  [node, entry].flatMap((file) => {
    const { uid, mode } = statSync(file);
    if (uid === 0 && (mode & 0o022) === 0) return [];
    return [
      `${file} can be written by others than root: whoever does becomes root when the machine starts. Install it for the whole machine, owned by root.`,
    ];
  });
