/** `drover startup` where nothing may be installed: what it prints, what it warns of, whom it refuses. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { isInPath } from '../provisions.ts';
import { temporaryFolder } from '../support/temporary.ts';

const COMMAND = join(import.meta.dirname, '..', '..', 'bin', 'drover');
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly uid?: number;
  readonly wrap?: readonly string[];
}

const startup = async (args: readonly string[], options: RunOptions = {}): Promise<Outcome> => {
  const { env = {}, node = process.execPath, uid, wrap = [] } = options;
  const [program = '', ...words] = [...wrap, node, COMMAND, 'startup', ...args];
  return new Promise((resolve) => {
    const own = { PATH: process.env['PATH'], HOME: '/nonexistent', ...env };
    const as = uid === undefined ? {} : { uid, gid: uid };
    execFile(program, words, { env: own, cwd: '/', ...as }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
};

const errorOf = ({ stdout }: Outcome): { readonly code: string; readonly message: string; readonly hint: string } =>
  (JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }).error;

describe('`startup --print`', () => {
  const noVerify = isInPath('systemd-analyze') ? false : 'systemd-analyze is not installed';
  const homes = ['/var/lib/drover', "/srv/my shop/it's 50%/$HOME/a;b"];
  for (const [scope, flags] of [
    ['the machine', []],
    ['a user', ['--user']],
  ] as const)
    for (const home of homes)
      it(`prints a unit for ${scope} that systemd-analyze verifies (${home})`, { skip: noVerify }, async () => {
        await using folder = await temporaryFolder();
        const { code, stdout } = await startup(['--print', ...flags], { env: { DROVER_HOME: home } });
        assert.equal(code, 0);
        const file = join(folder.path, 'drover.service');
        writeFileSync(file, stdout);
        const verified = verify(file, flags, folder.path);
        assert.deepEqual(verified, { status: 0, said: '' });
        // The check can fail: a misspelt key is told.
        writeFileSync(file, stdout.replace('OOMPolicy', 'OOMPolice'));
        assert.match(verify(file, flags, folder.path).said, /OOMPolice/);
      });

  it('prints text, or one document, and writes nothing', async () => {
    await using folder = await temporaryFolder();
    const env = { DROVER_HOME: join(folder.path, 'home'), XDG_CONFIG_HOME: join(folder.path, 'config') };
    const text = await startup(['--print', '--user'], { env });
    const { stdout } = await startup(['--print', '--user', '--json'], { env });
    const document = JSON.parse(stdout) as { unit: string; file: string; scope: string; text: string };
    assert.equal(document.text, text.stdout);
    assert.equal(document.scope, 'user');
    assert.equal(document.file, join(folder.path, 'config/systemd/user', document.unit));
    assert.match(document.unit, /^drover-.*-home\.service$/);
    const { length } = spawnSync('ls', ['-A', folder.path], { encoding: 'utf8' }).stdout;
    assert.equal(length, 0);
  });

  it('is not to be combined with `--remove`', async () => {
    assert.equal((await startup(['--print', '--remove'])).code, 2);
  });
});

describe('`startup` with a Node of a version manager', () => {
  it('warns, names the manager and says what to do; not for others', async () => {
    await using folder = await temporaryFolder();
    const node = join(folder.path, '.nvm/versions/node/v24.0.0/bin/node');
    mkdirSync(dirname(node), { recursive: true });
    try {
      linkSync(process.execPath, node);
    } catch {
      // Another file system.
      copyFileSync(process.execPath, node);
    }
    const { stdout, stderr } = await startup(['--print'], { node });
    assert.match(stdout, new RegExp(`^ExecStart=${node} `, 'm'));
    assert.match(
      stderr,
      /Warning: The unit names .*, which nvm manages: .*systemd cannot start Drover.*Install Node for the whole machine/,
    );
    const { warnings } = JSON.parse((await startup(['--print', '--json'], { node })).stdout) as { warnings: string[] };
    assert.equal(warnings.filter((text) => text.includes('nvm')).length, 1);
    assert.doesNotMatch((await startup(['--print'])).stderr, /manages/);
  });

  it(
    'warns of a program that others than root may change',
    { skip: !isRoot && 'only root gets this warning' },
    async () => {
      await using folder = await temporaryFolder();
      const node = join(folder.path, 'node');
      copyFileSync(process.execPath, node);
      chmodSync(node, 0o777);
      const { stderr } = await startup(['--print'], { node });
      assert.match(stderr, /can be written by others than root/);
      assert.doesNotMatch((await startup(['--print', '--user'], { node })).stderr, /others than root/);
    },
  );
});

describe('`startup` of a user without rights', { skip: !isRoot && 'only root can become somebody else' }, () => {
  it('is refused with exit code 5, and told both ways out', async () => {
    for (const args of [[], ['--remove']]) {
      const outcome = await startup([...args, '--json'], { uid: NOBODY });
      assert.equal(outcome.code, 5);
      const { code, message, hint } = errorOf(outcome);
      assert.equal(code, 'DROVER_NOT_ALLOWED');
      assert.match(message, /Only root may change \/etc\/systemd\/system\/drover/);
      assert.match(hint, /--user/);
      assert.match(hint, /sudo systemctl/);
    }
  });

  it('prints a unit of the machine that runs as that user', async () => {
    const { stdout } = await startup(['--print'], { uid: NOBODY, env: { HOME: '/tmp/nobody' } });
    assert.match(stdout, /^User=nobody$/m);
    assert.match(stdout, /^Environment=DROVER_HOME=\/tmp\/nobody\/\.local\/state\/drover$/m);
    assert.match(stdout, /^WantedBy=multi-user\.target$/m);
  });
});

describe('`startup` on a machine without systemd', { skip: !isRoot && 'only root can hide what is there' }, () => {
  it('says so, and what to do instead', async () => {
    const hidden = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh'];
    const outcome = await startup(['--json'], { wrap: hidden });
    assert.equal(outcome.code, 1);
    const { code, hint } = errorOf(outcome);
    assert.equal(code, 'DROVER_SYSTEMD_MISSING');
    assert.match(hint, /`drover run`/);
  });
});

function verify(file: string, flags: readonly string[], folder: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...flags, 'verify', file], {
    encoding: 'utf8',
    env: { ...process.env, XDG_RUNTIME_DIR: folder, HOME: folder },
  });
  // What it says of other units of this machine is not about ours.
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(file) || line.includes('drover'));
  return { status, said: said.join('\n') };
}
