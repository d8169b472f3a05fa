import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lifecycle, type Host, type Signal } from './lifecycle.ts';

/** A process whose signals and end are played. */
class FakeHost implements Host {
  readonly done: string[] = [];
  readonly #listeners = new Map<Signal, ((signal: Signal) => void)[]>();
  readonly #ended = Promise.withResolvers<void>();
  on(signal: Signal, listener: (signal: Signal) => void): void {
    this.#listeners.set(signal, [...(this.#listeners.get(signal) ?? []), listener]);
  }
  off(signal: Signal, listener: (signal: Signal) => void): void {
    this.#listeners.set(
      signal,
      (this.#listeners.get(signal) ?? []).filter((one) => one !== listener),
    );
  }
  listenerCount(signal: Signal): number {
    return this.#listeners.get(signal)?.length ?? 0;
  }
  raise(signal: Signal): void {
    this.done.push(`raise ${signal}`);
    this.#ended.resolve();
  }
  exit(code: number): void {
    this.done.push(`exit ${code}`);
    this.#ended.resolve();
  }
  warn(message: string): void {
    this.done.push(`warn ${message}`);
  }
  signal(name: Signal): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(name);
  }
  get ended(): Promise<void> {
    return this.#ended.promise;
  }
}

function open() {
  const host = new FakeHost();
  return { host, lifecycle: new Lifecycle(host) };
}

describe('The life of a process', () => {
  it('is serving unless the app has announced that it will say so', () => {
    const { lifecycle } = open();
    assert.equal(lifecycle.phase, 'serving');
    lifecycle.expectReady();
    assert.equal(lifecycle.phase, 'starting');
    lifecycle.ready();
    assert.equal(lifecycle.phase, 'serving');
  });

  it('listens to no signal before there is something to do', () => {
    const { host, lifecycle } = open();
    assert.equal(host.listenerCount('SIGTERM'), 0);
    lifecycle.onShutdown(() => undefined);
    assert.deepEqual(
      [host.listenerCount('SIGTERM'), host.listenerCount('SIGINT'), host.listenerCount('SIGUSR2')],
      [1, 1, 0],
    );
  });

  it('drains, closes what was opened last first, and ends by the signal', async () => {
    const { host, lifecycle } = open();
    lifecycle.onShutdown(() => host.done.push('pool'));
    lifecycle.onShutdown(async () => host.done.push('cache'));
    lifecycle.onDrain((reason) => host.done.push(`drain ${reason} ${lifecycle.phase}`));
    host.signal('SIGTERM');
    host.signal('SIGTERM');
    await host.ended;
    assert.deepEqual(host.done, ['drain SIGTERM draining', 'cache', 'pool', 'raise SIGTERM']);
  });

  it('leaves the end to others who listen to the signal', async () => {
    const { host, lifecycle } = open();
    const other = Promise.withResolvers<void>();
    host.on('SIGTERM', () => undefined);
    lifecycle.onShutdown(() => other.resolve());
    host.signal('SIGTERM');
    await other.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(host.done, []);
  });

  it('waits for servers that drain, and then ends itself', async () => {
    const { host, lifecycle } = open();
    const drained = Promise.withResolvers<void>();
    lifecycle.addDrainer(async () => drained.promise, ['SIGTERM', 'SIGUSR2'], 1000, true);
    lifecycle.onShutdown(() => host.done.push('shutdown'));
    host.signal('SIGTERM');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(host.done, []);
    drained.resolve();
    await host.ended;
    assert.deepEqual(host.done, ['shutdown', 'exit 0']);
  });

  it('goes on without a hook that throws or hangs, and says so', async () => {
    const { host, lifecycle } = open();
    lifecycle.onShutdown(() => host.done.push('last'));
    lifecycle.onShutdown(async () => new Promise(() => undefined), { name: 'queue', timeout: 5 });
    lifecycle.onShutdown(() => assert.fail('broken'), { name: 'pool' });
    assert.deepEqual(await lifecycle.shutdown('test'), [
      { hook: 'pool', trouble: 'broken' },
      { hook: 'queue', trouble: 'did not end within 5 ms' },
    ]);
    assert.deepEqual(host.done, ['warn pool: broken', 'warn queue: did not end within 5 ms', 'last']);
  });

  it('runs a hook once, whether the agent or the signal came first', async () => {
    const { host, lifecycle } = open();
    let drains = 0;
    lifecycle.onDrain(() => drains++);
    await lifecycle.drain('drain', true);
    assert.deepEqual([lifecycle.phase, lifecycle.isDrainedByAgent], ['draining', true]);
    host.signal('SIGTERM');
    await host.ended;
    assert.equal(drains, 1);
  });

  it('forgets a hook that was taken away', async () => {
    const { host, lifecycle } = open();
    lifecycle.onShutdown(() => host.done.push('no'))();
    await lifecycle.shutdown('test');
    assert.deepEqual(host.done, []);
  });
});
