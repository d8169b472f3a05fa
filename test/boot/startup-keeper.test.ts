/** `drover startup` and `--remove` where a step of systemd fails: a daemon that runs is never left ended. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { DaemonDocument, ErrorDocument } from '../../src/protocol/index.ts';
import { COMMAND, type Drover, openDrover } from '../support/drover.ts';
import { ServiceManager } from '../support/service-manager.ts';

/** Says `$MAIN_PID` of every unit, fails at the verb `$FAILS`, and otherwise succeeds without doing anything. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
  *" $FAILS"*) echo "Failed to connect to bus" >&2; exit 1 ;;
  *" show "*) echo "$MAIN_PID" ;;
esac
`;

/** A machine that systemd seems to run. */
const BOOTED = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && exec "$@"',
  'sh',
];

interface Outcome {
  readonly code: number;
  readonly document: { readonly removed?: boolean; readonly pid?: number | null } & Partial<ErrorDocument>;
}

interface Place extends AsyncDisposable {
  readonly drover: Drover;
  readonly file: string;
  readonly pid: number;
  readonly calls: () => string;
  startup(args: readonly string[], fake: { readonly mainPid: number; readonly fails?: string }): Promise<Outcome>;
}

/** A daemon that runs as a unit, with the name that a unit of the user's own would have for this home. */
const openPlace = async (): Promise<Place> => {
  const drover = await openDrover();
  const bin = join(drover.home, 'bin');
  const callsFile = join(drover.home, 'calls');
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), SYSTEMCTL, { mode: 0o755 });
  const config = { XDG_CONFIG_HOME: join(drover.home, 'config') };
  const printed = await drover.json<{ unit: string; file: string; text: string }>(['startup', '--user', '--print'], {
    env: config,
  });
  mkdirSync(dirname(printed.file), { recursive: true });
  writeFileSync(printed.file, printed.text);
  const manager = new ServiceManager(drover, { unit: printed.unit });
  await manager.start();
  return {
    drover,
    file: printed.file,
    pid: manager.mainPid ?? 0,
    calls: () => readFileSync(callsFile, 'utf8'),
    startup: async (args, { mainPid, fails = 'nothing' }) => {
      const env = drover.environment({ ...config, CALLS: callsFile, MAIN_PID: String(mainPid), FAILS: fails });
      const [program = '', ...words] = [...BOOTED, process.execPath, COMMAND, 'startup', '--user', '--json', ...args];
      const options = { cwd: '/', env: { ...env, PATH: `${bin}:${env['PATH'] ?? ''}` } };
      return new Promise((resolve, reject) => {
        execFile(program, words, options, (error, stdout, stderr) => {
          if (stdout === '') return reject(new Error(`${error?.message} ${stderr}`));
          const code = error === null ? 0 : Number(error.code);
          resolve({ code, document: JSON.parse(stdout) as Outcome['document'] });
        });
      });
    },
    [Symbol.asyncDispose]: async () => {
      await manager[Symbol.asyncDispose]();
      await drover[Symbol.asyncDispose]();
    },
  };
};

const status = async ({ drover }: Place): Promise<DaemonDocument> => drover.daemon();

describe(
  'a daemon that runs as a unit',
  { skip: process.getuid?.() !== 0 && 'only root can hide what is there' },
  () => {
    it('goes on where `startup --remove` may not disable the unit', async () => {
      await using place = await openPlace();
      const { code, document } = await place.startup(['--remove'], { mainPid: place.pid, fails: 'disable' });
      assert.deepEqual([code, document.error?.code], [1, 'DROVER_SYSTEMCTL']);
      assert.equal((await status(place)).pid, place.pid);
      assert.ok(existsSync(place.file));
    });

    it('goes on where the unit’s file is not Drover’s', async () => {
      await using place = await openPlace();
      writeFileSync(place.file, '[Service]\n');
      const { code, document } = await place.startup(['--remove'], { mainPid: place.pid });
      assert.deepEqual([code, document.error?.code], [2, 'DROVER_UNIT_TAKEN']);
      assert.equal((await status(place)).pid, place.pid);
    });

    it('is brought back where the removal fails once it was ended', async () => {
      await using place = await openPlace();
      const { code, document } = await place.startup(['--remove'], { mainPid: place.pid, fails: 'daemon-reload' });
      assert.deepEqual([code, document.error?.code], [1, 'DROVER_SYSTEMCTL']);
      const { running, pid } = await status(place);
      assert.equal(running, true);
      assert.notEqual(pid, place.pid);
    });

    it('goes on without it once the unit is removed', async () => {
      await using place = await openPlace();
      const { code, document } = await place.startup(['--remove'], { mainPid: place.pid });
      assert.deepEqual([code, document.removed], [0, true]);
      const { pid, unit } = await status(place);
      assert.deepEqual([pid, unit], [document.pid, null]);
      assert.ok(!existsSync(place.file));
    });

    it('is left alone by the removal of another scope’s unit of the same name', async () => {
      await using place = await openPlace();
      const { code, document } = await place.startup(['--remove'], { mainPid: 0 });
      assert.deepEqual([code, document.removed, document.pid], [0, true, null]);
      assert.equal((await status(place)).pid, place.pid);
    });

    it('is not taken for another scope’s unit of the same name by `startup`', async () => {
      await using place = await openPlace();
      const { code, document } = await place.startup([], { mainPid: 0, fails: 'start' });
      assert.deepEqual([code, document.error?.code], [1, 'DROVER_SYSTEMCTL']);
      assert.match(place.calls(), /^--user --no-ask-password start drover-/m);
      assert.equal((await status(place)).running, true, 'it is brought back');
    });
  },
);
