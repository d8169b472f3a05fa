/**
 * Drover as people get it: the packed tarball, installed globally and run by `npx`, away from this checkout. Packs what
 * `npm run build` has made, which `npm ci` does.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { AppListDocument, DaemonDocument, ReceiptDocument } from '../../src/protocol/index.ts';
import { eventually } from '../support/eventually.ts';
import { makeVersion } from '../support/next-version.ts';
import { freePort, type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const MEGABYTE = 1024 * 1024;

/** As in `exports` of a package.json: paths by condition, nested. */
interface Conditions {
  readonly [condition: string]: string | Conditions;
}

const listPaths = (target: string | Conditions): string[] =>
  typeof target === 'string' ? [target] : Object.values(target).flatMap(listPaths);

async function sizeOf(path: string): Promise<number> {
  const stat = await lstat(path);
  if (!stat.isDirectory()) return stat.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('the packed tarball', { concurrency: false }, () => {
  let folder: TemporaryFolder;
  let tarball: string;
  let env: NodeJS.ProcessEnv;

  const npm = async (args: readonly string[], cwd: string): Promise<string> =>
    (await run('npm', args, { cwd, env, maxBuffer: 16 * MEGABYTE })).stdout;

  before(async () => {
    folder = await temporaryFolder('packaged');
    env = { ...process.env, DROVER_HOME: join(folder.path, 'home'), NO_COLOR: '1' };
    // `npm test` tells its children about this package; for them there is none.
    for (const name of Object.keys(env)) if (name.startsWith('npm_') && name !== 'npm_config_cache') delete env[name];
    delete env['NODE_TEST_CONTEXT'];
    const packed = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path], ROOT);
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    tarball = join(folder.path, filename);
  });
  after(async () => folder[Symbol.asyncDispose]());

  it('holds no source, test or build record, and what it needs to run', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    assert.ok(files.includes('package/dist/agent/agent.cjs'));
    assert.ok(files.includes('package/dist/daemon/guard.sh'));
    assert.ok(files.includes('package/dist/view-page/flame.js'));
    assert.ok(files.includes('package/bin/drover'));
    assert.deepEqual(
      files.filter((file) => /^package\/(src|test|bench|examples|\.)|\.test\.|tsbuildinfo/.test(file)),
      [],
    );
  });

  it('installs globally, takes at most 25 MB with its dependencies, and runs a service', async () => {
    const prefix = join(folder.path, 'global');
    await npm(['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', tarball], folder.path);
    assert.ok((await sizeOf(prefix)) < 25 * MEGABYTE, `${await sizeOf(prefix)} bytes`);

    const port = await freePort();
    const script = join(folder.path, 'server.cjs');
    await writeFile(script, `require('http').createServer((q, r) => r.end('served')).listen(${port})`);
    const drover = async (...args: string[]): Promise<string> =>
      (await run(process.execPath, [join(prefix, 'lib/node_modules/drover/bin/drover'), ...args], { env })).stdout;
    try {
      await drover('start', script, '--instances', '2');
      assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'served');
      const receipt = JSON.parse(await drover('reload', 'server', '--json')) as ReceiptDocument;
      assert.equal(receipt.outcome, 'completed');
      const { apps } = JSON.parse(await drover('ls', '--json')) as AppListDocument;
      assert.equal(apps[0]?.status, 'online');
    } finally {
      await drover('daemon', 'stop');
    }
  });

  it('is replaced under a daemon that runs, which does not mind and becomes the new version when it is told to', async () => {
    const prefix = join(folder.path, 'replaced');
    const home = join(folder.path, 'replaced-home');
    const install = async (what: string): Promise<string> =>
      npm(['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', what], folder.path);
    const drover = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      run(process.execPath, [join(prefix, 'lib/node_modules/drover/bin/drover'), ...args], {
        env: { ...env, DROVER_HOME: home },
      });
    const statusOf = async (): Promise<DaemonDocument> =>
      JSON.parse((await drover('daemon', 'status', '--json')).stdout) as DaemonDocument;
    const pidsOf = async (): Promise<(number | null)[]> =>
      (JSON.parse((await drover('ls', '--json')).stdout) as AppListDocument).apps.flatMap(({ workers }) =>
        workers.map(({ pid }) => pid),
      );
    await install(tarball);
    const { root } = makeVersion(folder.path, '0.2.0');
    const packed = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path], root);
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    const port = await freePort();
    const script = join(folder.path, 'replaced.cjs');
    await writeFile(script, `require('http').createServer((q, r) => r.end('served')).listen(${port})`);
    try {
      await drover('start', script, '--instances', '2');
      const [before, pids] = [await statusOf(), await pidsOf()];
      assert.equal(before.program?.isCopy, true);
      await install(join(folder.path, filename));
      process.kill(before.pid ?? 0, 'SIGKILL');
      const after = await eventually(
        'the daemon is back',
        async () => {
          const status = await statusOf();
          return status.running && status.pid !== before.pid && status;
        },
        { withinMs: 30_000 },
      );
      assert.equal(after.version, before.version, 'what was installed meanwhile does not matter');
      assert.match((await drover('ls')).stderr, /drover daemon upgrade/);
      assert.match((await drover('daemon', 'upgrade')).stdout, /Upgraded from 0\.1\.0 to 0\.2\.0/);
      const upgraded = await statusOf();
      assert.deepEqual([upgraded.version, upgraded.pid], ['0.2.0', after.pid]);
      assert.deepEqual(await pidsOf(), pids);
      assert.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'served');
    } finally {
      await drover('daemon', 'stop');
    }
  });

  it('resolves `drover` in a configuration to the running one, and runs by npx', async () => {
    const project = join(folder.path, 'project');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }');
    await npm(['install', '--no-audit', '--no-fund', tarball], project);
    await writeFile(join(project, 'once.js'), 'console.log("ran as", process.env.DROVER_WORKER)');
    await writeFile(
      join(project, 'drover.config.ts'),
      `import { defineConfig } from 'drover';
       export default defineConfig({ apps: { once: { script: 'once.js', restart: { policy: 'never' } } } });`,
    );
    // npx looks for a Node of its own; the one that runs these tests comes first.
    const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
    const { stdout } = await run('npx', ['drover', 'run'], { cwd: project, env: { ...env, PATH: path } });
    assert.match(stdout, /ran as once\/0/);
  });

  it('has the engines as libraries, for sources and for types', async () => {
    const project = join(folder.path, 'engines');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), '{ "name": "engines", "private": true, "type": "module" }');
    await npm(['install', '--no-audit', '--no-fund', tarball], project);
    await writeFile(
      join(project, 'look.ts'),
      `import { writeHeapSnapshot } from 'node:v8';
       import { analyzeHeap, type HeapAnalysis, readSnapshot } from 'drover/heap';
       import { type CpuProfile, readCpuProfile } from 'drover/cpu';
       import { expectNoLeak } from 'drover/testing';
       const file: string = writeHeapSnapshot();
       const analysis: HeapAnalysis = await analyzeHeap(await readSnapshot(file));
       const refusal = await readCpuProfile(file).then((profile: CpuProfile) => profile.durationUs, (error: Error) => error.name);
       await expectNoLeak(() => undefined);
       console.log(analysis.classes.length > 10, analysis.totalBytes > 1e6, refusal);`,
    );
    const look = await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'look.ts'], {
      cwd: project,
      env,
    });
    assert.equal(look.stdout, 'true true BadFile\n');
    const types = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
    const typeRoots = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...types, ...typeRoots, 'look.ts'], {
      cwd: project,
      env,
    });
  });

  it('says in package.json only what is in it', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Conditions;
    };
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = new Set(stdout.trim().split('\n'));
    const paths = listPaths(manifest.exports);
    assert.ok(paths.length > 10);
    for (const path of paths) assert.ok(files.has(path.replace(/^\./, 'package')), path);
  });
});
