/**
 * A machine of its own, run by a real systemd: as the first process of a pid namespace, on a copy of this system that
 * vanishes with it (an overlay in memory), below a cgroup of its own. Network and home of the tests are the real ones,
 * so that a load from outside reaches the apps inside.
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { eventually } from './eventually.ts';
import { listChildren } from './processes.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const COMMAND = join(CHECKOUT, 'bin', 'drover');
const SYSTEMD = ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'].find((path) => existsSync(path));

/** Units that would look after hardware, or reach out of the namespace. */
const MASKED =
  'udevd udev-trigger tmpfiles-setup tmpfiles-setup-dev modules-load sysctl binfmt remount-fs random-seed networkd networkd-wait-online timesyncd resolved logind'
    .split(' ')
    .map((name) => `systemd-${name}.service`);

/** Runs in the new namespaces; $1 is the folder, $2 the checkout, $3 systemd. */
const BOOT = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
R="$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$R"
mount --rbind "$2" "$R$2"
mount -t proc proc "$R/proc"
mount --rbind /dev "$R/dev"
mount -t sysfs sysfs "$R/sys"
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs tmpfs "$R/run"
mount -t tmpfs tmpfs "$R/tmp"
rm -rf "$R"/etc/systemd/system/* "$R/var/lib/drover"
for unit in ${MASKED.join(' ')} getty.target; do ln -s /dev/null "$R/etc/systemd/system/$unit"; done
exec chroot "$R" env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin "$3" --unit=basic.target --log-target=null --show-status=no`;

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Null where a machine can be booted, else why not. */
export function whyNoMachine(): string | null {
  if (process.getuid?.() !== 0) return 'only root can boot a systemd of its own';
  if (SYSTEMD === undefined) return 'systemd is not installed';
  if (cgroupMount() === null) return 'there is no unified cgroup hierarchy';
  const { status, stderr } = spawnSync(
    'unshare',
    ['--mount', '--pid', '--fork', '--cgroup', 'sh', '-c', 'mount --make-rprivate / && mount -t tmpfs tmpfs /run'],
    { encoding: 'utf8' },
  );
  return status === 0 ? null : `namespaces are refused: ${stderr.trim()}`;
}

export class SystemdMachine implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #cgroup: string;
  readonly #unshare: ChildProcess;

  private constructor(folder: TemporaryFolder, cgroup: string, unshare: ChildProcess) {
    this.#folder = folder;
    this.#cgroup = cgroup;
    this.#unshare = unshare;
  }

  /** Boots, and resolves when systemd answers. */
  static async boot(): Promise<SystemdMachine> {
    const folder = await temporaryFolder('machine');
    const cgroup = join(cgroupMount() ?? '', `drover-test-${process.pid}-${Date.now()}`);
    mkdirSync(cgroup);
    const enter =
      'echo $$ > "$0/cgroup.procs" && exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc "$@"';
    const words = ['-c', enter, cgroup, 'sh', '-c', BOOT, 'sh', folder.path, CHECKOUT, SYSTEMD ?? ''];
    const unshare = spawn('sh', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    unshare.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const machine = new SystemdMachine(folder, cgroup, unshare);
    try {
      await eventually(
        'systemd has booted',
        async () => {
          if (unshare.exitCode !== null) throw new Error(`it ended: ${errors}`);
          const { stdout } = await machine.run(['systemctl', 'is-system-running']);
          return /^(running|degraded)$/m.test(stdout);
        },
        { withinMs: 40_000, everyMs: 100 },
      );
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw new Error(`systemd did not boot: ${errors}`, { cause: error });
    }
  }

  /** Runs a command inside, whatever comes of it. */
  async run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandOutcome> {
    const [first] = listChildren(this.#unshare.pid ?? 0);
    if (first === undefined) return { code: -1, stdout: '', stderr: 'not booted' };
    const path = `${dirname(process.execPath)}${delimiter}/usr/sbin${delimiter}/usr/bin${delimiter}/sbin${delimiter}/bin`;
    const outer = ['--target', String(first), '--all', '--root', '--wd', 'env', '-i', `PATH=${path}`, 'HOME=/root'];
    const variables = Object.entries({ NO_COLOR: '1', ...env }).map(([name, value]) => `${name}=${value}`);
    return new Promise((resolve) => {
      execFile('nsenter', [...outer, ...variables, ...words], { timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      });
    });
  }

  /** Runs a command inside that must succeed, and returns what it printed. */
  async get(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(words);
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** One property of a unit. */
  async property(unit: string, name: string): Promise<string> {
    return this.get('systemctl', 'show', unit, `--property=${name}`, '--value');
  }

  /** Runs `drover`, which must succeed, and returns its JSON document. */
  async drover<Document>(...words: readonly string[]): Promise<Document> {
    return JSON.parse(await this.get(process.execPath, COMMAND, ...words, '--json')) as Document;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // With `--kill-child` systemd goes too, and with it everything in its pid namespace.
    this.#unshare.kill('SIGKILL');
    await eventually('the cgroup of the machine is empty', () => removeTree(this.#cgroup), { withinMs: 20_000 });
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Where a cgroup below which a machine can live is made. */
function cgroupMount(): string | null {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((each) => each.includes(' - cgroup2 '));
  return line?.split(' ')[4] ?? null;
}

/** True when it is gone; a cgroup in which something still runs cannot be removed. */
function removeTree(path: string): boolean {
  if (!existsSync(path)) return true;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
