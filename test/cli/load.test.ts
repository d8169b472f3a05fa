import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config/index.ts';
import type { DroverError } from '../../src/protocol/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const LIMITS = { timeoutMs: 10_000, bytes: 1024 * 1024 };

const load = async (text: string, name = 'drover.config.mjs', limits = LIMITS): Promise<unknown> => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return (await loadConfig(file, limits)).value;
};

const refusal = async (text: string, name?: string, limits?: typeof LIMITS): Promise<DroverError> => {
  const error = await load(text, name, limits).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(error !== null, 'it was read');
  return error as DroverError;
};

describe('a configuration file', () => {
  it('may be TypeScript, a module, CommonJS, JSON, or a promise', async () => {
    const expected = { apps: { a: { port: 1 } } };
    const text = 'export default { apps: { a: { port: 1 } } }';
    assert.deepEqual(
      await load(
        `const x: number = 1; export default { apps: { a: { port: x, cwd: undefined } } }`,
        'drover.config.ts',
      ),
      expected,
    );
    assert.deepEqual(await load(text), expected);
    assert.deepEqual(await load(text, 'drover.config.js'), expected);
    assert.deepEqual(await load('module.exports = { apps: { a: { port: 1 } } }', 'drover.config.cjs'), expected);
    assert.deepEqual(await load('module.exports = { apps: { a: { port: 1 } } }', 'drover.config.js'), expected);
    assert.deepEqual(await load('\uFEFF{ "apps": { "a": { "port": 1 } } }', 'drover.config.json'), expected);
    assert.deepEqual(await load('export default Promise.resolve({ apps: { a: { port: 1 } } })'), expected);
  });

  it('gets the running Drover, without one being installed', async () => {
    const text = `import { defineConfig } from 'drover'; export default defineConfig({ apps: {} })`;
    assert.deepEqual(await load(text, 'drover.config.ts'), { apps: {} });
  });

  it('that calls `defineConfig` without having it is told the line that it lacks', async () => {
    const module = await refusal('export default defineConfig({ apps: {} })', 'drover.config.ts');
    assert.equal(module.hint, "Begin it with `import { defineConfig } from 'drover';`");
    const common = await refusal('module.exports = defineConfig({ apps: {} })', 'drover.config.cjs');
    assert.equal(common.hint, "Begin it with `const { defineConfig } = require('drover');`");
    const mended = `const { defineConfig } = require('drover'); module.exports = defineConfig({ apps: {} })`;
    assert.deepEqual(await load(mended, 'drover.config.cjs'), { apps: {} });
    assert.match((await refusal('throw new Error("x")')).hint ?? '', /config check/);
  });

  it('is left behind when it prints, keeps timers, or goes on for ever', async () => {
    const text = `console.log('noise'); setInterval(() => {}, 1000); export default { apps: {} }`;
    assert.deepEqual(await load(text), { apps: {} });
  });

  it('is reported as unreadable when it throws, ends the process, hangs or kills itself', async () => {
    for (const [text, message] of [
      [`throw new RangeError('no\\nluck')`, /it threw RangeError: no/],
      [`throw null`, /it threw null/],
      [`export default {`, /SyntaxError/],
      [`export const apps = {}`, /no default export/],
      [`process.exit(0)`, /ended the process with code 0/],
      [`process.kill(process.pid, 'SIGKILL')`, /ended by SIGKILL/],
      [`import 'no-such-package'`, /no-such-package/],
      [`export default { get apps() { throw new Error('trap') } }`, /trap/],
    ] as const) {
      const error = await refusal(text);
      assert.equal(error.code, 'DROVER_CONFIG_UNREADABLE', text);
      assert.match(error.message, message);
    }
    const limits = { ...LIMITS, timeoutMs: 500 };
    for (const text of ['for (;;) {}', 'await new Promise((resolve) => setTimeout(resolve, 1e9))'])
      assert.match((await refusal(text, undefined, limits)).message, /still running after 0.5 s/);
  });

  it('is refused when it or what it exports is too big', async () => {
    assert.match((await refusal(`export default '${'x'.repeat(2_000_000)}'`)).message, /bigger than/);
    assert.match((await refusal(`export default { apps: 'x'.repeat(10_000_000) }`)).message, /exports more than/);
    assert.match((await refusal(`"${'x'.repeat(2_000_000)}"`, 'drover.config.json')).message, /bigger than/);
  });

  it('is refused with the place of what is no plain data', async () => {
    for (const [text, message] of [
      [`export default { apps: { a: { env: { f() {} } } } }`, /apps\.a\.env\.f must be plain data, not a function/],
      [`export default () => ({})`, /not a function/],
      [`const a = {}; a.self = a; export default a`, /self contains itself/],
      [`export default { at: new Date() }`, /at must be plain data, not a Date/],
      [`export default { n: [1, 1n, NaN] }`, /n\[1\] must be plain data[^]*n\[2\] must be a finite number/],
      [`let x = {}; for (let i = 0; i < 100; i++) x = { x }; export default x`, /nested too deeply/],
    ] as const) {
      const error = await refusal(text);
      assert.equal(error.code, 'DROVER_CONFIG_INVALID', text);
      assert.match(error.message, message);
    }
  });

  it('is refused when it is missing, a directory, or of another kind', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(join(folder.path, 'drover.config.ts'));
    for (const name of ['missing.ts', 'drover.config.ts', 'x'.repeat(300)])
      await assert.rejects(loadConfig(join(folder.path, name)), { code: 'DROVER_CONFIG_UNREADABLE' });
    assert.match((await refusal('{}', 'drover.config.yaml')).message, /ends in none of/);
    assert.match((await refusal('{', 'drover.config.json')).message, /JSON/);
  });
});

describe('bin/drover', () => {
  const bin = join(import.meta.dirname, '../../bin/drover');
  const run = promisify(execFile);

  it('prints the version, from any directory and through a link', async () => {
    await using folder = await temporaryFolder();
    const link = join(folder.path, 'drover');
    symlinkSync(bin, link);
    const { stdout, stderr } = await run(process.execPath, [link, '--version'], { cwd: folder.path });
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(stderr, '');
  });

  it('ends with the exit code of the command', async () => {
    await using folder = await temporaryFolder();
    const env = { ...process.env, DROVER_HOME: folder.path };
    await assert.rejects(
      run(process.execPath, [bin, 'ls', '--json'], { env }),
      (error: Error & { code?: number; stdout?: string }) => {
        assert.equal(error.code, 4);
        assert.match(String(error.stdout), /DROVER_DAEMON_UNREACHABLE/);
        return true;
      },
    );
  });

  it('says what is wrong with a home that is a file', async () => {
    await using folder = await temporaryFolder();
    const home = join(folder.path, 'home');
    writeFileSync(home, '');
    await assert.rejects(
      run(process.execPath, [bin, 'daemon', 'start', '--json'], { env: { ...process.env, DROVER_HOME: home } }),
      (error: Error & { code?: number; stdout?: string }) => {
        assert.equal(error.code, 4);
        assert.match(String(error.stdout), /DROVER_HOME_UNUSABLE.*it is not a folder/);
        return true;
      },
    );
  });
});
