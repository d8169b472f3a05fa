/**
 * Copies the installed program into a home, once for each version and Node: `<home>/versions/<version>-<identity>/`. So
 * a package manager that replaces files does not touch what a daemon runs from, and what its guard starts again
 * (docs/decisions/own-copy.md). Two dozen files, because the daemon is bundled; a start pays for it once.
 *
 * It appears whole or not at all: written under another name, which a kill leaves behind (`remove-old.ts`), and renamed.
 * It is synced later (`sync-copy.ts`); until then it counts for this boot of the machine only.
 */
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Program } from './program.ts';
import { COPY_FILE, currentBoot, originOf, readCopy, type Copy, type CopyFile } from './read-copy.ts';
import { UNFINISHED, VERSIONS_FOLDER } from './records.ts';

/** The copy, or why there is none. */
export type Prepared = { readonly program: Program } | { readonly program: null; readonly reason: string };

/** The one package that is not in the bundle: it loads a file of machine code beside it. */
const NATIVE_PACKAGE = 'koffi';
/** What of a package is run; the rest is documentation and sources. */
const RUNS = /\.(?:c?js|mjs|json|node)$/;
const NODE = 'node';
/** The Node of this process, also when its file has no name any more. */
const RUNNING = '/proc/self/exe';

/** Does nothing where the copy is there already. Never throws: what cannot be copied runs from where it is. */
export const copyInto = (home: string, program: Program): Prepared => {
  if (program.isCopy) return { program };
  if (!program.main.includes('daemon-bundle')) return { program: null, reason: 'it runs from its sources' };
  try {
    const folder = join(home, VERSIONS_FOLDER);
    const root = join(folder, `${program.version}-${identityOf(program)}`);
    return { program: readCopy(root) ?? make(folder, root, program) };
  } catch (error) {
    return { program: null, reason: `its home takes no copy of it: ${(error as Error).message}` };
  }
};

/**
 * Of a copy whose files were removed under the daemon that runs from it: makes it again, from where it was copied from.
 * Throws where that is another version by now.
 */
export const restoreCopy = (copy: Copy): void => {
  const { root, version, options } = copy;
  const origin = originOf(copy);
  const { version: installed } = JSON.parse(readFileSync(join(origin.root, 'package.json'), 'utf8')) as Program;
  if (installed !== version) throw new Error(`${origin.root} is Drover ${installed} by now, and not ${version}`);
  const node = existsSync(origin.node) ? origin.node : RUNNING;
  make(dirname(root), root, { ...origin, version, options, node, isCopy: false });
};

/**
 * Names one build and one Node. Not by reading everything: each build writes these files anew, and what a package manager
 * installs under one version is one thing.
 */
const identityOf = ({ root, node, main }: Program): string => {
  const { hash } = process.getBuiltinModule('node:crypto');
  const built = [main, join(root, 'package.json'), agentOf(root)].map((file) => statSync(file));
  const { size, mtimeMs, ino } = statSync(node);
  const facts = [...built.map((file) => [file.size, file.mtimeMs]), [realpathSync(node), size, mtimeMs, ino]];
  return hash('sha1', JSON.stringify(facts), 'hex').slice(0, 12);
};

const agentOf = (root: string): string => join(root, 'dist/agent/agent.cjs');

const make = (folder: string, root: string, program: Program): Program => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `${UNFINISHED}${process.pid}-${program.version}`);
  rmSync(draft, { recursive: true, force: true });
  try {
    copyProgram(program, draft);
    settle(draft, root);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  const made = readCopy(root);
  if (made === null) throw new Error(`${root} is not whole`);
  return made;
};

const copyProgram = ({ root, version, options, main, node }: Program, draft: string): void => {
  copyFile(join(root, 'package.json'), join(draft, 'package.json'));
  copyFolder(dirname(main), join(draft, relative(root, dirname(main))), () => true);
  copyFile(agentOf(root), agentOf(draft));
  copyPackage(NATIVE_PACKAGE, root, join(draft, 'node_modules'));
  const nodeAt = node === RUNNING ? node : realpathSync(node);
  placeNode(nodeAt, join(draft, NODE));
  const file: CopyFile = {
    version,
    options,
    main: relative(root, main),
    node: NODE,
    installedAt: root,
    nodeAt,
    bootId: currentBoot(),
    isSynced: false,
  };
  writeFileSync(join(draft, COPY_FILE), `${JSON.stringify(file)}\n`);
};

/** A second name of the file where that can be: then it stays when a version manager removes it. Else where it is. */
const placeNode = (node: string, place: string): void => {
  if (node === RUNNING) return copyFileSync(node, place);
  try {
    linkSync(node, place);
  } catch {
    // Another file system, or somebody else's file. A copy would be 120 MB.
    symlinkSync(node, place);
  }
};

/** Another command may have made it meanwhile; one that a power failure tore gives way. */
const settle = (draft: string, root: string): void => {
  if (existsSync(root)) {
    if (readCopy(root) !== null) return rmSync(draft, { recursive: true, force: true });
    rmSync(root, { recursive: true, force: true });
  }
  try {
    renameSync(draft, root);
  } catch (error) {
    if (readCopy(root) === null) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
};

const copyFile = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true });
  // Shares the blocks with the original where the file system can.
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
};

const copyFolder = (from: string, to: string, isWanted: (name: string) => boolean): void => {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyFolder(source, target, isWanted);
    else if (isWanted(entry.name)) copyFile(source, target);
  }
};

/** The package, and those of its optional ones that are there: the files for this system. */
const copyPackage = (name: string, beside: string, target: string): void => {
  const found = findPackage(name, beside);
  if (found === null) throw new Error(`the package ${name} is not there`);
  copyOne(found, join(target, name));
  const scope = join(dirname(found), '@koromix');
  const isScoped = existsSync(scope);
  for (const part of isScoped ? readdirSync(scope) : []) {
    copyOne(realpathSync(join(scope, part)), join(target, '@koromix', part));
  }
};

const copyOne = (from: string, to: string): void => copyFolder(from, to, (name) => RUNS.test(name));

/** As Node looks for it. */
const findPackage = (name: string, from: string): string | null => {
  for (let folder = realpathSync(from); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(join(found, 'package.json'))) return realpathSync(found);
    if (folder === dirname(folder)) return null;
  }
};
