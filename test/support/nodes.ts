/**
 * The Nodes that the agent is tested under: the running one, and one of each other supported major from the packages in
 * `test/nodes`, which the suites that need them have installed. Missing ones are an error, not a smaller test.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface TestNode {
  /** `node 24.21.0`. */
  readonly name: string;
  readonly path: string;
  readonly major: number;
  /** Runs a TypeScript entry without a loader: Node ≥ 22.18. */
  readonly runsTypeScript: boolean;
}

/** What CONTRACT.md promises to managed apps. */
export const SUPPORTED_MAJORS: readonly number[] = [20, 22, 24, 26];

const MODULES = join(import.meta.dirname, '..', 'nodes', 'node_modules');

export function listNodes(): readonly TestNode[] {
  const running = nodeAt(process.execPath, process.versions.node);
  // There are no such packages for macOS, which is for development.
  const majors = process.platform === 'linux' ? SUPPORTED_MAJORS.filter((major) => major !== running.major) : [];
  // For a machine that has other Nodes elsewhere: absolute paths with colons between them.
  const named = (process.env['DROVER_TEST_NODES'] ?? '').split(':').filter(Boolean);
  return [running, ...majors.map(findInstalled), ...named.map((path) => nodeAt(path, versionOf(path)))];
}

function findInstalled(major: number): TestNode {
  const path = join(MODULES, `node${major}-${process.arch}`, 'bin', 'node');
  try {
    return nodeAt(path, versionOf(path));
  } catch (cause) {
    throw new Error(`no Node ${major} that runs at ${path}; \`npm ci\` in test/nodes installs it`, { cause });
  }
}

function versionOf(path: string): string {
  return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1);
}

function nodeAt(path: string, version: string): TestNode {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const runsTypeScript = major > 22 || (major === 22 && minor >= 18);
  return { name: `node ${version}`, path, major, runsTypeScript };
}
