/**
 * Control groups of both versions, as far as Drover reads them: CPU quota, memory limit, kills for lack of memory.
 * Limits hold at every level, so each question walks from the process's own group up to the root that we can see.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Controller = 'cpu' | 'memory';

interface Hierarchy {
  readonly version: 1 | 2;
  /** Folders from the process's own group up to the mount. */
  readonly folders: readonly string[];
}

/** The lowest CPU quota above a process, in CPUs; null when there is none. */
export function cpuQuota(pid: number | 'self' = 'self'): number | null {
  const quotas = hierarchiesOf(pid, 'cpu').flatMap(({ version, folders }) =>
    folders.map((folder) => (version === 2 ? readQuotaV2(folder) : readQuotaV1(folder))),
  );
  return lowest(quotas);
}

function readQuotaV2(folder: string): number | null {
  const [quota, period] = (read(folder, 'cpu.max') ?? 'max').trim().split(' ');
  return quota === 'max' ? null : Number(quota) / Number(period);
}

function readQuotaV1(folder: string): number | null {
  const quota = Number(read(folder, 'cpu.cfs_quota_us') ?? -1);
  const period = Number(read(folder, 'cpu.cfs_period_us') ?? 0);
  return quota > 0 && period > 0 ? quota / period : null;
}

/** The least memory left under any limit above a process; null when there is no limit. */
export function memoryLeft(pid: number | 'self' = 'self'): number | null {
  const left = hierarchiesOf(pid, 'memory').flatMap(({ version, folders }) =>
    folders.map((folder) => readLeft(folder, MEMORY_FILES[version])),
  );
  return lowest(left);
}

// Without a limit version 1 shows the largest multiple of a page.
const NO_LIMIT = 2 ** 60;

interface MemoryFiles {
  readonly limit: string;
  readonly usage: string;
  /** Keys of `memory.stat` that the kernel takes back before it kills anything: copies of files, and what it has cached itself. */
  readonly given: readonly string[];
}

const MEMORY_FILES: Readonly<Record<Hierarchy['version'], MemoryFiles>> = {
  1: {
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    given: ['total_inactive_file', 'total_active_file'],
  },
  2: { limit: 'memory.max', usage: 'memory.current', given: ['inactive_file', 'active_file', 'slab_reclaimable'] },
};

function readLeft(folder: string, { limit, usage, given }: MemoryFiles): number | null {
  const limitBytes = Number(read(folder, limit) ?? 'max');
  // At most levels there is none, and nothing else is read: the figures of a large group take the kernel a while.
  if (!(limitBytes < NO_LIMIT)) return null;
  const usedBytes = read(folder, usage);
  if (usedBytes === null) return null;
  const stat = read(folder, 'memory.stat');
  const givenBytes = given.reduce((sum, key) => sum + (readKey(stat, key) ?? 0), 0);
  return Math.max(0, limitBytes - Math.max(0, Number(usedBytes) - givenBytes));
}

/**
 * How many processes of the process's group the kernel has killed for lack of memory; null where it does not tell. A
 * process that died has no group any more: ask for the daemon's, in which workers without limits live.
 */
export function oomKills(pid: number | 'self' = 'self'): number | null {
  for (const { version, folders } of hierarchiesOf(pid, 'memory')) {
    const own = folders[0];
    if (own === undefined) continue;
    const count = readKey(read(own, version === 2 ? 'memory.events' : 'memory.oom_control'), 'oom_kill');
    if (count !== null) return count;
  }
  return null;
}

function hierarchiesOf(pid: number | 'self', controller: Controller): readonly Hierarchy[] {
  const groups = read('/proc', `${pid}/cgroup`)?.trim().split('\n') ?? [];
  const mounts = read('/proc', 'self/mountinfo')?.split('\n') ?? [];
  return groups.flatMap((line) => {
    const [, names = '', ...rest] = line.split(':');
    const version = names === '' ? 2 : 1;
    if (version === 1 && !names.split(',').includes(controller)) return [];
    const mount = mounts.map(parseMount).find((each) => each?.version === version && each.serves(controller));
    return mount ? [{ version, folders: foldersOf(mount, rest.join(':')) } satisfies Hierarchy] : [];
  });
}

interface Mount {
  readonly version: 1 | 2;
  readonly root: string;
  readonly folder: string;
  readonly serves: (controller: Controller) => boolean;
}

function parseMount(line: string): Mount | null {
  const [left = '', right = ''] = line.split(' - ');
  const [, , , root = '', folder = ''] = left.split(' ');
  const [type, , options = ''] = right.split(' ');
  if (type === 'cgroup2') return { version: 2, root, folder, serves: () => true };
  if (type !== 'cgroup') return null;
  return { version: 1, root, folder, serves: (controller) => options.split(',').includes(controller) };
}

function foldersOf(mount: Mount, group: string): readonly string[] {
  // In a container the mount may begin at the group itself, while /proc still shows the whole path.
  const inside = group.startsWith(mount.root) ? group.slice(mount.root.length) : mount.root === '/' ? group : '';
  const folders: string[] = [];
  for (let folder = join(mount.folder, inside); folder.startsWith(mount.folder); folder = dirname(folder)) {
    folders.push(folder);
    if (folder === mount.folder) break;
  }
  return folders;
}

function lowest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function readKey(text: string | null, key: string): number | null {
  const line = text?.split('\n').find((each) => each.startsWith(`${key} `));
  return line === undefined ? null : Number(line.slice(key.length + 1));
}

function read(folder: string, file: string): string | null {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return null;
  }
}
