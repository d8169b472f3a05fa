/** The Drover that the campaign injects its faults into: a real daemon, its apps, their loads. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type DroverClient } from '../../../src/client/index.ts';
import { type Drover, openDrover } from '../../support/drover.ts';
import { eventually } from '../../support/eventually.ts';
import { writeConfig } from '../../support/service.ts';
import { openSmallDisk, type SmallDisk, whyNoSmallDisk } from '../../support/small-disk.ts';
import { freePort } from '../../support/temporary.ts';
import { AppUnderLoad, type AppFacts } from './app-under-load.ts';
import { LOADED, SPARE, settingsOf } from './apps.ts';
import { Deaths } from './deaths.ts';
import { Violation } from './fault.ts';

export interface WorldOptions {
  /** How many of the apps, at least one. */
  readonly apps: number;
  /** When the loads end by themselves. */
  readonly seconds: number;
}

const BACK_WITHIN_MS = 20_000;
const LOG_DISK_BYTES = 32 * 1024 * 1024;
/** The one app that writes a line for each request. */
const APP_WITH_LOG_DISK = 'express';

export class World implements AsyncDisposable {
  readonly drover: Drover;
  readonly client: DroverClient;
  readonly apps: readonly AppUnderLoad[];
  readonly spare: AppUnderLoad;
  readonly deaths: Deaths;
  /** A small disk below the logs of one app; null where none can be mounted. */
  readonly logDisk: SmallDisk | null;
  /** From the death of a daemon until the next one lists every worker, in milliseconds. */
  readonly backMs: number[] = [];
  readonly #dieAt: string;
  readonly #steps = new Map<string, number>();
  readonly #stepsHit = new Set<string>();
  #logSeen = 0;

  constructor(drover: Drover, facts: readonly AppFacts[], spare: AppFacts, logDisk: SmallDisk | null) {
    this.drover = drover;
    this.logDisk = logDisk;
    this.client = createClient({ socketPath: join(drover.home, 'drover.sock'), timeoutMs: 20_000 });
    const wishes = join(drover.home, 'wishes');
    mkdirSync(wishes);
    mkdirSync(join(drover.home, 'journal'));
    this.deaths = new Deaths(join(drover.home, 'journal'));
    this.apps = facts.map((each) => new AppUnderLoad(each, this.client, wishes));
    this.spare = new AppUnderLoad(spare, this.client, wishes);
    this.#dieAt = join(drover.home, 'die-at');
  }

  get all(): readonly AppUnderLoad[] {
    return [...this.apps, this.spare];
  }

  async start(seconds: number): Promise<void> {
    await this.startDaemon();
    const env = { JOURNAL: join(this.drover.home, 'journal') };
    const settings = this.all.map((app) => [app.name, settingsOf(app.facts, { ...env, ...app.environment })] as const);
    await this.drover.start([writeConfig(this.drover, Object.fromEntries(settings))]);
    await Promise.all(this.apps.map(async (app) => app.startLoads(seconds)));
  }

  /** By hand: where nobody is left who would bring it back. */
  async startDaemon(): Promise<void> {
    const { code, stderr } = await this.drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: this.#dieAt } });
    if (code !== 0) throw new Violation(`the daemon does not start: ${stderr}`);
  }

  async daemonPid(): Promise<number> {
    const { pid } = await this.client.daemonStatus();
    if (pid === null) throw new Error('the daemon does not know its pid');
    return pid;
  }

  async guardPid(): Promise<number> {
    return eventually('a guard stands', async () => (await this.client.daemonStatus()).guardPid ?? undefined);
  }

  /** Resolves when another daemon than `old` answers and lists `workers`; notes how long that took. */
  async untilBack(old: number, workers: readonly number[], diedAt = performance.now()): Promise<number> {
    try {
      const pid = await eventually(
        'another daemon answers',
        async () => {
          const { pid } = await this.client.daemonStatus();
          if (pid === null || pid === old) return false;
          const { apps } = await this.client.list();
          const listed = new Set(apps.flatMap((app) => app.workers.map((worker) => worker.pid)));
          return workers.every((worker) => listed.has(worker)) && pid;
        },
        { withinMs: BACK_WITHIN_MS, everyMs: 10 },
      );
      this.backMs.push(performance.now() - diedAt);
      return pid;
    } catch (error) {
      throw new Violation(`no daemon came back with all workers within ${BACK_WITHIN_MS} ms`, { cause: error });
    }
  }

  /** The pids of all ready workers, by app. */
  async allPids(): Promise<Map<string, readonly number[]>> {
    return new Map(await Promise.all(this.all.map(async (app) => [app.name, await app.pids()] as const)));
  }

  /** The daemon ends itself when it comes to this step of this app, the `time`-th time from now. */
  wishDeath(app: string, step: string, time = 1): void {
    writeFileSync(this.#dieAt, `${app} ${step} #${time}`);
  }

  get isDeathOutstanding(): boolean {
    return existsSync(this.#dieAt);
  }

  callOffDeath(): void {
    rmSync(this.#dieAt, { force: true });
  }

  /** Counts up for each kind of change, so that its steps come in turn. */
  nextStep(change: string): number {
    const next = this.#steps.get(change) ?? 0;
    this.#steps.set(change, next + 1);
    return next;
  }

  noteStep(step: string): void {
    this.#stepsHit.add(step);
  }

  get stepsHit(): readonly string[] {
    return [...this.#stepsHit].toSorted();
  }

  /** What is new in the daemon's log. */
  readLog(): string {
    const text = readFileSync(join(this.drover.home, 'daemon.log'), 'utf8');
    const fresh = text.slice(this.#logSeen);
    this.#logSeen = text.length;
    return fresh;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.apps.map(async (app) => app.stopLoads()));
    // Whoever still has a file there open keeps it; the folder must be free to be removed.
    this.logDisk?.[Symbol.dispose]();
    await this.drover[Symbol.asyncDispose]();
  }
}

export async function openWorld({ apps, seconds }: WorldOptions): Promise<World> {
  const drover = await openDrover();
  const ports = await Promise.all([...LOADED, SPARE].map(async () => freePort()));
  const facts = LOADED.slice(0, apps).map((each, at) => ({ ...each, port: ports[at] ?? 0 }));
  const logDisk =
    facts.some(({ name }) => name === APP_WITH_LOG_DISK) && whyNoSmallDisk() === false
      ? openSmallDisk(LOG_DISK_BYTES, join(drover.home, 'logs', APP_WITH_LOG_DISK))
      : null;
  const world = new World(drover, facts, { ...SPARE, port: ports.at(-1) ?? 0 }, logDisk);
  try {
    await world.start(seconds);
    return world;
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}
