/** A state as a busy daemon has it, and what must never be lost of it. */
import { join } from 'node:path';
import type { AppConfig } from '../../src/protocol/index.ts';
import { openStore, type OpenStoreOptions, type Store } from '../../src/store/index.ts';

export const systemClock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

export const openState = (folder: string, options: Partial<OpenStoreOptions> = {}): Store =>
  openStore({ file: join(folder, 'state.db'), clock: systemClock, random: Math.random, version: '9.9.9', ...options });

/** Enough of one for the store, which does not look into it. */
export const configOf = (name: string): AppConfig =>
  ({ name, script: `/srv/${name}/server.js`, env: { NOTE: 'x'.repeat(600) } }) as unknown as AppConfig;

export function addApp(store: Store, name: string): void {
  const config = configOf(name);
  const release = store.releases.add({ app: name, config, createdAtMs: 1 });
  const record = { name, file: null, config, wanted: 'up', release, instances: 2, createdAtMs: 1 } as const;
  store.apps.put({ ...record, stoppedSlots: [], readySignalSeen: false });
  for (const slot of [0, 1]) store.workers.put(workerOf(name, slot));
  store.ports.put({
    app: name,
    key: 'tcp:3000',
    address: { kind: 'tcp', host: '::', port: 3000, v6only: false },
    declared: true,
    randomIndex: null,
    slots: [],
    protocol: 'http',
    firstHeldAtMs: 1,
  });
  store.events.append({ app: name, type: 'app-added' });
}

export const workerOf = (app: string, slot: number, generation = 1) =>
  ({
    app,
    slot,
    generation,
    lane: 'stable',
    release: 1,
    pid: 1_000 + slot,
    startTicks: 5,
    bootId: 'boot',
    spawn: `spawn-${app}-${slot}-${generation}`,
    startedAtMs: 1,
    phase: 'running',
    restarts: 0,
    role: 'holder',
    order: null,
    exit: null,
  }) as const;

/** What decides which programs run: the apps, their configurations, and the ports that they hold. */
export type Vital = Readonly<Record<string, readonly unknown[]>>;

export const vitalOf = (store: Store): Vital => ({
  apps: store.apps.list(),
  ports: store.ports.list(),
  releases: store.apps.list().flatMap(({ name }) => store.releases.list(name)),
});
