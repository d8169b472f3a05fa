/** Homes that no daemon can have: what is wrong with them is said, whatever was asked, and nothing hangs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ErrorDocument } from '../../src/protocol/index.ts';
import { COMMAND } from '../support/drover.ts';
import { whyNoOtherUser } from '../support/other-user.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = await temporaryFolder();
after(async () => folder[Symbol.asyncDispose]());
const script = join(folder.path, 'app.js');
writeFileSync(script, 'setInterval(() => {}, 1000);\n');

const NOBODY = 65_534;
const COMMANDS: readonly (readonly string[])[] = [
  ['start', script],
  ['daemon', 'start'],
  ['ls'],
  ['logs'],
  ['daemon', 'status'],
];

interface Refusal {
  readonly code: number;
  readonly error: ErrorDocument['error'];
}

const refuse = async (home: string, args: readonly string[], uid = process.getuid?.() ?? 0): Promise<Refusal> =>
  new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: '/', DROVER_HOME: home, XDG_RUNTIME_DIR: folder.path };
    // One that goes round for ever does not hear a polite signal.
    const options = { env, uid, cwd: '/', timeout: 20_000, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [COMMAND, ...args, '--json'], options, (failure, stdout, stderr) => {
      try {
        const code = typeof failure?.code === 'number' ? failure.code : -1;
        resolve({ code, error: (JSON.parse(stdout) as ErrorDocument).error });
      } catch {
        reject(new Error(`${args.join(' ')}: ${failure?.message} ${stdout}${stderr}`));
      }
    });
  });

const assertUnusable = async (home: string, reason: RegExp, commands = COMMANDS): Promise<void> => {
  for (const args of commands) {
    const { code, error } = await refuse(home, args);
    assert.deepEqual([code, error.code], [4, 'DROVER_HOME_UNUSABLE'], `${args.join(' ')}: ${error.message}`);
    assert.match(error.message, reason, args.join(' '));
    assert.match(error.hint ?? '', /DROVER_HOME/);
    assert.doesNotMatch(error.message + String(error.hint), /daemon\.log|daemon start/);
  }
};

describe('a home that cannot be one:', () => {
  it('a file', async () => {
    await assertUnusable(script, /it is not a folder/);
  });

  it('something in a file', async () => {
    await assertUnusable(join(script, 'home'), new RegExp(`${script} is not a folder`));
  });

  it('a name or a path that is too long', async () => {
    await assertUnusable(join(folder.path, 'x'.repeat(300)), /its path is longer than the system takes/);
    await assertUnusable(join(folder.path, 'x/'.repeat(3000)), /its path is longer than the system takes/, [['ls']]);
  });

  it('a link to nothing', async () => {
    const link = join(folder.path, 'link');
    symlinkSync(join(folder.path, 'nothing'), link);
    await assertUnusable(link, /it is a link to .*nothing, which is not there/);
  });

  it('where nothing can be made', { skip: existsSync('/proc/self') ? false : 'there is no /proc' }, async () => {
    const starts = COMMANDS.filter((args) => args.includes('start'));
    await assertUnusable('/proc/nope', /nothing can be made in \/proc/, starts);
    await assertUnusable('/proc/nope/deeper', /nothing can be made in \/proc/, starts);
    assert.equal((await refuse('/proc/nope', ['ls'])).error.code, 'DROVER_DAEMON_UNREACHABLE');
  });

  it('one that the caller may not enter, or not make', { skip: whyNoOtherUser() }, async () => {
    chmodSync(folder.path, 0o711);
    const closed = join(folder.path, 'closed');
    const open = join(folder.path, 'open');
    mkdirSync(closed, { mode: 0o700 });
    mkdirSync(open, { mode: 0o755 });
    for (const [home, what] of [
      [closed, 'enter it'],
      [join(closed, 'deeper'), `enter ${closed}`],
    ] as const)
      for (const args of COMMANDS) {
        const { code, error } = await refuse(home, args, NOBODY);
        assert.deepEqual([code, error.code], [5, 'DROVER_NOT_ALLOWED'], args.join(' '));
        assert.equal(error.message, `You may not use Drover’s home ${home}: you may not ${what}.`);
      }
    const { code, error } = await refuse(open, ['daemon', 'start'], NOBODY);
    assert.deepEqual([code, error.code], [5, 'DROVER_NOT_ALLOWED']);
    assert.match(error.message, /you may not write in it/);
    assert.equal((await refuse(open, ['ls'], NOBODY)).error.code, 'DROVER_DAEMON_UNREACHABLE');
  });
});
