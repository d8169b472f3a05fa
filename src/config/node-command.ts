/**
 * Whether a command line is Node running a script, so that the worker can be that Node. Launchers, whose own process
 * is only the parent of the app, are programs like any other.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AppCommand } from '../protocol/index.ts';
import { readPackage } from './read-package.ts';

/** Options of Node that take the next word as their value. */
const WITH_VALUE = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions']);
/** Options after which no script of the app's runs, or not this process runs it. */
const NOT_A_SCRIPT = /^(-$|-[a-z]*[eipchv]|--(eval|print|check|interactive|test|run|watch|help|version)\b)/;

/** `node [options] script [args]`, or a binary that is a script for Node; null for any other program. */
export const toNodeCommand = ([program, ...words]: readonly [string, ...string[]], cwd: string): AppCommand | null => {
  if (program === 'node' || program === process.execPath) {
    let at = 0;
    while (words[at]?.startsWith('-')) {
      const option = String(words[at]);
      if (NOT_A_SCRIPT.test(option) && !WITH_VALUE.has(option)) return null;
      at += WITH_VALUE.has(option) ? 2 : 1;
    }
    const script = words[at];
    if (script === undefined) return null;
    const found = findScript(resolve(cwd, script));
    if (found === null) return null;
    return { kind: 'node', script: found, node: null, nodeArgs: words.slice(0, at), args: words.slice(at + 1) };
  }
  if (!program.includes('/')) return null;
  const script = findNodeScript(resolve(cwd, program));
  if (script === null) return null;
  const brought = script.includes('/node_modules/') ? readPackage(dirname(script)) : null;
  if (brought?.name === 'tsx') return ofTsx(brought.directory, words, cwd);
  // Most tools start what their arguments say as a child: to that the agent comes by `NODE_OPTIONS`.
  if (brought !== null && !SERVERS.has(brought.name ?? '')) return null;
  return { kind: 'node', script, node: null, nodeArgs: [], args: words };
};

/** Packages whose binary is known to serve in its own process; for any other it makes no difference to have a parent. */
const SERVERS = new Set(['fastify-cli', 'http-server', 'json-server', 'next', 'serve']);

/** `tsx server.ts` is, by its documentation, `node --import tsx server.ts`. Its own options and modes are not. */
const ofTsx = (directory: string, [script = '', ...args]: readonly string[], cwd: string): AppCommand | null => {
  const loader = join(directory, 'dist', 'loader.mjs');
  if (script.startsWith('-') || !statSync(loader, { throwIfNoEntry: false })?.isFile()) return null;
  const path = resolve(cwd, script);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return null;
  return { kind: 'node', script: path, node: null, nodeArgs: ['--import', pathToFileURL(loader).href], args };
};

/** The file that Node would run for this path: itself, with an extension, or the entry of a directory. */
const findScript = (path: string): string | null => {
  const candidates = [path, `${path}.js`, `${path}.cjs`, join(path, 'index.js')];
  return candidates.find((name) => statSync(name, { throwIfNoEntry: false })?.isFile()) ?? null;
};

/** The script behind an executable: itself by its `#!`, or the target of a pnpm shim; null when Node does not run it. */
export const findNodeScript = (path: string): string | null => {
  let start: string;
  try {
    start = readFileSync(path, 'utf8').slice(0, 4096);
  } catch {
    return null; // Gone or unreadable: whoever starts it says so.
  }
  if (/^#!\s*\S*(\/env\s+(-S\s+)?)?\bnode\s*(\r?\n|$)/.test(start)) return realpathSync(path);
  const target = /exec node\s+"\$basedir\/([^"]+)" "\$@"/.exec(start)?.[1];
  if (!start.startsWith('#!') || target === undefined) return null;
  const script = resolve(dirname(path), target);
  return statSync(script, { throwIfNoEntry: false })?.isFile() ? realpathSync(script) : null;
};
