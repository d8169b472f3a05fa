/** What the daemon says about the health of an app, and an app that falls ill when it is told to (`ill-when-told.cjs`). */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppHealthDocument, HealthDocument, WorkerHealthDocument } from '../../src/protocol/index.ts';
import type { Drover } from './drover.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { fixture, read, type Settings } from './service.ts';

export async function readHealth(drover: Drover, app: string): Promise<AppHealthDocument> {
  const { apps } = await read<HealthDocument>(drover, `/v1/health?app=${app}`);
  const health = apps.find(({ name }) => name === app);
  if (health === undefined) throw new Error(`no health of ${app}`);
  return health;
}

/** Resolves with the health of the app once `holds` is true of it. */
export async function untilHealth(
  drover: Drover,
  app: string,
  what: string,
  holds: (health: AppHealthDocument) => boolean,
  { withinMs = PATIENCE_MS } = {},
): Promise<AppHealthDocument> {
  let last: AppHealthDocument | null = null;
  try {
    return await eventually(
      `${app} ${what}`,
      async () => {
        last = await readHealth(drover, app);
        return holds(last) && last;
      },
      { withinMs },
    );
  } catch (error) {
    throw new Error(`${app} never ${what}: ${JSON.stringify(last)}`, { cause: error });
  }
}

export const workerOf = ({ name, workers }: AppHealthDocument, slot: number): WorkerHealthDocument => {
  const worker = workers.find(({ id }) => id === `${name}/${slot}`);
  if (worker === undefined) throw new Error(`no worker ${name}/${slot}`);
  return worker;
};

/** Tells workers of `ill-when-told.cjs` what to suffer from: `spins 5000`, `fails`, `slow`, `dead`, `hungry 100`, … */
export class Illness {
  readonly folder: string;

  constructor(drover: Pick<Drover, 'home'>, name = 'told') {
    this.folder = join(drover.home, name);
    mkdirSync(this.folder, { recursive: true });
  }

  /** Whoever holds the slot, now and later. */
  tell(who: number | 'all', words: string): void {
    this.#write(String(who), words);
  }

  /** The worker that holds the slot now; its successor is well. */
  tellOnce(slot: number, words: string): void {
    this.#write(`${slot}.once`, words);
  }

  heal(who: number | 'all'): void {
    rmSync(join(this.folder, String(who)), { force: true });
  }

  /** In one step: a worker that reads half of it would suffer from half of it. */
  #write(name: string, words: string): void {
    writeFileSync(join(this.folder, `.${name}`), words);
    renameSync(join(this.folder, `.${name}`), join(this.folder, name));
  }
}

/** Settings of `ill-when-told.cjs` on a port. */
export const illService = (port: number, illness: Illness, more: Settings = {}): Settings => ({
  script: fixture('ill-when-told.cjs'),
  port,
  instances: 2,
  drain: { idleGrace: '2s' },
  ...more,
  env: { TOLD: illness.folder, ...(more['env'] as Settings | undefined) },
});
