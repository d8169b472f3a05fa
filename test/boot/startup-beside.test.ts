/** `drover startup` where a unit for the same home is there already: one of the machine, of the user, or by another name. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { ErrorDocument } from '../../src/protocol/index.ts';
import { COMMAND } from '../support/drover.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** Refuses to enable anything: that far comes only who is not refused. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *" enable "*) echo "not here" >&2; exit 1 ;; esac
`;

/** A machine that systemd seems to run, with the units of the folder that comes first. */
const BOOTED = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system &&
  mount -t tmpfs tmpfs /etc/systemd && mkdir /etc/systemd/system && cp -r "$0/." /etc/systemd/system && exec "$@"`,
];

interface Printed {
  readonly unit: string;
  readonly file: string;
  readonly text: string;
  readonly warnings: readonly string[];
}

interface Place extends AsyncDisposable {
  /** What `startup` says, as JSON. */
  readonly startup: (args: readonly string[], home?: string) => Promise<{ code: number; document: unknown }>;
  readonly print: (args: readonly string[], home?: string) => Promise<Printed>;
  readonly addSystemUnit: (unit: string, text: string) => void;
  readonly addUserUnit: (printed: Printed) => void;
  /** What was asked of systemd. */
  readonly hasCalled: () => boolean;
  readonly listHome: () => readonly string[];
}

const openPlace = async (): Promise<Place> => {
  const folder = await temporaryFolder();
  const [bin, units, calls] = ['bin', 'units', 'calls'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ];
  const usual = join(folder.path, 'home');
  for (const path of [bin, units, usual]) mkdirSync(path);
  writeFileSync(join(bin, 'systemctl'), SYSTEMCTL, { mode: 0o755 });
  const startup: Place['startup'] = async (args, home = usual) => {
    const env = {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: folder.path,
      XDG_CONFIG_HOME: join(folder.path, 'config'),
      DROVER_HOME: home,
      CALLS: calls,
    };
    const [program = '', ...words] = [...BOOTED, units, process.execPath, COMMAND, 'startup', '--json', ...args];
    return new Promise((resolve, reject) => {
      execFile(program, words, { cwd: '/', env }, (error, stdout, stderr) => {
        if (stdout === '') return reject(new Error(`${error?.message} ${stderr}`));
        resolve({ code: error === null ? 0 : Number(error.code), document: JSON.parse(stdout) });
      });
    });
  };
  return {
    startup,
    print: async (args, home) => (await startup(['--print', ...args], home)).document as Printed,
    addSystemUnit: (unit, text) => writeFileSync(join(units, unit), text),
    addUserUnit({ file, text }) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    hasCalled: () => existsSync(calls),
    listHome: () => readdirSync(usual),
    [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose](),
  };
};

/** A refusal of `startup` with this code, that named the unit; returns the advice. */
const refused = async (place: Place, args: readonly string[], unit: string): Promise<string> => {
  const { code, document } = await place.startup(args);
  const { error } = document as ErrorDocument;
  assert.deepEqual([code, error.code], [2, 'DROVER_UNIT_BESIDE'], error.message);
  assert.ok(error.message.startsWith(unit), error.message);
  assert.ok(!place.hasCalled(), 'nothing was asked of systemd');
  assert.deepEqual(place.listHome(), [], 'nothing was written');
  return error.hint ?? '';
};

const reached = async (place: Place, args: readonly string[]): Promise<void> => {
  const { document } = await place.startup(args);
  assert.equal((document as ErrorDocument).error.code, 'DROVER_SYSTEMCTL');
};

const skip =
  process.getuid?.() !== 0
    ? 'only root can hide what is there'
    : !existsSync('/etc/systemd') && 'there is no place to hide it';

describe('`startup` beside another unit for the same home', { skip }, () => {
  it('is refused to the user where the machine has one', async () => {
    await using place = await openPlace();
    const { unit, text, file } = await place.print([]);
    place.addSystemUnit(unit, text);
    assert.match(await refused(place, ['--user'], unit), /`drover startup --remove`/);
    const { warnings, text: printed } = await place.print(['--user']);
    assert.match(printed, /^WantedBy=default\.target$/m);
    assert.ok(
      warnings.some((warning) => warning.includes(file)),
      'it is printed all the same, with a warning',
    );
    // To write it anew is no second one.
    await reached(place, []);
  });

  it('is refused to the machine where the user has one', async () => {
    await using place = await openPlace();
    const own = await place.print(['--user']);
    place.addUserUnit(own);
    assert.match(await refused(place, [], own.unit), /`drover startup --remove --user`/);
    await reached(place, ['--user']);
  });

  it('is refused where one has another name, which no `--remove` finds', async () => {
    await using place = await openPlace();
    const { text } = await place.print([]);
    place.addSystemUnit('shop.service', text);
    assert.match(
      await refused(place, [], 'shop.service'),
      /`systemctl disable shop\.service && rm \/etc\/systemd\/system\/shop\.service && systemctl daemon-reload`/,
    );
  });

  it('is not refused beside one for another home, nor beside a unit that Drover did not write', async () => {
    await using place = await openPlace();
    const { text } = await place.print([], '/srv/other');
    place.addSystemUnit('drover-srv-other.service', text);
    place.addSystemUnit('drover.service', '[Service]\nExecStart=/bin/true\n');
    await reached(place, ['--user']);
  });
});
