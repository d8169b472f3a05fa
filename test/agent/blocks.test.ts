/** That a block of the event loop is noticed and named, on each Node: the function, the line, and what it was in. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { AgentSettings, LoopBlock } from '../../src/protocol/index.ts';
import { openFakeDaemon, type FakeDaemon, type FakeWorker, type WorkerOptions } from './support/fake-daemon.ts';
import { underEachNode } from './support/under-each-node.ts';

const APP = join(import.meta.dirname, '../fixtures/apps/blocks.cjs');
const LINES = readFileSync(APP, 'utf8').split('\n');
/** The lines that say `here: <way>`. */
const lineOf = (way: string): number => LINES.findIndex((line) => line.endsWith(`// here: ${way}`)) + 1;

const SETTINGS: AgentSettings = {
  profile: true,
  watchdog: false,
  blockedAfterMs: 200,
  routes: 0,
  appMetrics: false,
  trace: { enabled: false, logs: false },
};

const WITHIN: Readonly<Record<string, string | null>> = {
  busyLoop: null,
  regularExpression: 'RegExp: ^(a+)+$',
  replacesText: 'RegExp: ^(a+)+$',
  shellCommand: 'execSync',
  parsesText: 'JSON.parse',
  derivesKey: 'pbkdf2Sync',
  readsFiles: 'readFileSync',
};

async function start(daemon: FakeDaemon, node: string, options: Partial<WorkerOptions> = {}): Promise<FakeWorker> {
  const worker = await daemon.start({ app: APP, node, ...options });
  await worker.said('hello');
  return worker;
}

/** Naming a block may take a hundredth of the time, and on a busy machine a stall that was named just before took its time. */
const NAMED_WITHIN_MS = 50_000;

async function nextBlock(worker: FakeWorker, way: string, after: number, isNamed = true): Promise<LoopBlock> {
  worker.send({ type: 'message', payload: way });
  const fits = (block: LoopBlock | undefined): boolean =>
    block !== undefined && block.number > after && (!isNamed || block.place !== null);
  const { report } = await worker.said('report', ({ report: { block } }) => fits(block), NAMED_WITHIN_MS);
  assert.ok(report.block !== undefined);
  return report.block;
}

underEachNode('A block of the event loop', ({ path: node, major }) => {
  it('is named: function, line, and what it was in', async () => {
    await using daemon = await openFakeDaemon();
    // One each, because where blocks come often they are named later.
    const workers = await Promise.all(Object.keys(WITHIN).map(async () => start(daemon, node)));
    for (const worker of workers) worker.send({ type: 'settings', settings: SETTINGS });
    for (const [index, [way, within]] of Object.entries(WITHIN).entries()) {
      const worker = workers[index] ?? assert.fail();
      await profiled(worker);
      const block = await nextBlock(worker, way, 0);
      const { place } = block;
      assert.deepEqual([place?.function, place?.file, place?.line], [way, APP, lineOf(way)], JSON.stringify(block));
      assert.equal(block.within, within, way);
      assert.ok(block.isOver && block.durationMs >= 200 && (block.share ?? 0) > 0.5, JSON.stringify(block));
      assert.ok(block.stack.some((one) => one.function === way));
      assert.ok(block.stack.length <= 32);
    }
  });

  it('that comes soon after another is named as well, though later', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node);
    worker.send({ type: 'settings', settings: SETTINGS });
    await profiled(worker);
    const { number } = await nextBlock(worker, 'busyLoop', 0);
    const block = await nextBlock(worker, 'shellCommand', number);
    assert.equal(block.place?.function, 'shellCommand');
  });

  it('is noticed without a profile as well, and nothing is loaded for it', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node);
    worker.send({ type: 'settings', settings: { ...SETTINGS, profile: false } });
    const block = await nextBlock(worker, 'busyLoop', 0, false);
    assert.deepEqual([block.number, block.place, block.within, block.share], [1, null, null, null]);
    assert.deepEqual(block.stack, []);
    worker.send({ type: 'message', payload: 'modules' });
    await worker.printed('inspector false');
  });

  it('is not looked for before there are settings', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node);
    worker.send({ type: 'message', payload: 'busyLoop' });
    await worker.printed('did busyLoop');
    worker.send({ type: 'report-now', id: 9 });
    const { report } = await worker.said('report', ({ replyTo }) => replyTo === 9);
    assert.equal('block' in report, false);
  });

  it('leaves the inspector to whoever has asked for it, and to the permission model', async () => {
    await using daemon = await openFakeDaemon();
    const permission = major === 20 ? '--experimental-permission' : '--permission';
    const cases: WorkerOptions[] = [
      { app: ['--inspect=127.0.0.1:0', APP] },
      { app: ['--cpu-prof', `--cpu-prof-dir=${daemon.folder}`, APP] },
      { app: [permission, '--allow-fs-read=*', '--allow-child-process', APP] },
    ];
    for (const options of cases) {
      const worker = await start(daemon, node, options);
      worker.send({ type: 'settings', settings: SETTINGS });
      await worker.said('report', ({ report }) => report.runtime.uptimeMs > 2500);
      const block = await nextBlock(worker, 'busyLoop', 0, false);
      assert.equal(block.place, null);
    }
  });

  it('is named beside an app that profiles itself, which gets its own profile', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node);
    worker.send({ type: 'settings', settings: SETTINGS });
    await profiled(worker);
    worker.send({ type: 'message', payload: 'profiles' });
    worker.send({ type: 'message', payload: 'busyLoop' });
    // On a busy machine the begin of its own profile is a block as well.
    await worker.said('report', ({ report }) => report.block?.place?.function === 'busyLoop', 20_000);
    worker.send({ type: 'message', payload: 'profiled' });
    await worker.printed('its own profile has busyLoop true');
  });

  it('ends as ever, with no word about a debugger', async () => {
    await using daemon = await openFakeDaemon();
    const worker = await start(daemon, node);
    worker.send({ type: 'settings', settings: SETTINGS });
    await profiled(worker);
    await nextBlock(worker, 'busyLoop', 0);
    worker.send({ type: 'message', payload: 'ends' });
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.equal(
      worker.output.some((line) => line.includes('debugger')),
      false,
    );
  });
});

/** The profiler is begun a second after the settings came: asked of the app, which looks at what Node has loaded. */
async function profiled(worker: FakeWorker): Promise<void> {
  worker.send({ type: 'message', payload: 'inspector' });
  await worker.printed('inspector is there');
}
