/**
 * The campaign: deals faults to the apps, several at a time where they do not concern each other, then some to the daemon
 * with nothing else beside them, and so on until its time is over. After each fault everything must settle
 * (`invariants.ts`); at the end the loads' books must balance and nothing may be left.
 */
import { seeded } from '../../support/random.ts';
import { eventually } from '../../support/eventually.ts';
import { listShards } from '../../support/shards.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import { auditApp, readLast } from './audit.ts';
import { Books, type FaultRow, type Loss } from './books.ts';
import { Deck } from './deck.ts';
import type { Fault } from './fault.ts';
import { listMarked } from './invariants.ts';
import { carryOut } from './operations.ts';
import { settle, settleDaemon } from './settle.ts';
import { openWorld, type World } from './world.ts';

export interface CampaignOptions {
  readonly seed: number;
  /** Until then, and until everything was dealt once. */
  readonly seconds: number;
  /** And until there were as many; left out: none. */
  readonly injections?: number;
  readonly apps: number;
  readonly faults: readonly Fault[];
  readonly say: (line: string) => void;
  /** How somebody runs this fault alone. */
  readonly replay: (fault: string) => string;
}

export interface CampaignResult {
  readonly seed: number;
  readonly seconds: number;
  readonly injected: number;
  readonly answered: number;
  readonly excused: number;
  readonly lost: readonly Loss[];
  readonly violations: readonly string[];
  readonly rows: readonly FaultRow[];
  readonly skipped: readonly string[];
  readonly stepsHit: readonly string[];
  readonly backMs: readonly number[];
}

/** For so long apps are hit beside each other, and then the daemon so often in a row. */
const APP_ROUND_MS = 10_000;
const DAEMON_FAULTS_IN_A_ROW = 3;
/** Loads outlast the faults: what settles last has its time too. */
const EXTRA_SECONDS = 900;
const MOST_VIOLATIONS = 20;
const STORY_EVENTS = 60;

export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const usable = options.faults.filter(({ skip = false }) => skip === false);
  const skipped = options.faults.flatMap(({ name, skip = false }) => (skip === false ? [] : [`${name}: ${skip}`]));
  await using world = await openWorld({ apps: options.apps, seconds: options.seconds + EXTRA_SECONDS });
  const run = new CampaignRunner(world, options, usable);
  await run.play();
  return await run.close(skipped);
}

class CampaignRunner {
  readonly #world: World;
  readonly #options: CampaignOptions;
  readonly #faults: readonly Fault[];
  readonly #books = new Books();
  readonly #late: string[] = [];
  readonly #startedAt = performance.now();

  constructor(world: World, options: CampaignOptions, faults: readonly Fault[]) {
    this.#world = world;
    this.#options = options;
    this.#faults = faults;
  }

  async play(): Promise<void> {
    const { seed } = this.#options;
    const deckOf = (scope: Fault['scope'], at: number): Deck =>
      new Deck(
        this.#faults.filter((fault) => fault.scope === scope),
        seeded(seed + at),
      );
    const decks = { app: deckOf('app', 1), daemon: deckOf('daemon', 2), apart: deckOf('apart', 3) };
    const random = seeded(seed);
    await Promise.all([this.#playApart(decks.apart), this.#playTogether(decks.app, decks.daemon, random)]);
  }

  /** Time is over, or there is no use in going on. */
  get #isOver(): boolean {
    const isLate = performance.now() - this.#startedAt > this.#options.seconds * 1000;
    const isEnough = this.#books.injections.length >= (this.#options.injections ?? 0);
    return (isLate && isEnough) || this.#books.violations.length >= MOST_VIOLATIONS;
  }

  async #playTogether(apps: Deck, daemon: Deck, random: () => number): Promise<void> {
    const lanes = this.#world.apps.map((app, at) => ({ app, random: seeded(this.#options.seed * 31 + at) }));
    const isDone = (): boolean => this.#isOver && apps.isThrough && daemon.isThrough;
    while (!isDone() && this.#books.violations.length < MOST_VIOLATIONS) {
      if (apps.isEmpty && daemon.isEmpty) return;
      const roundEnds = performance.now() + (apps.isEmpty ? 0 : APP_ROUND_MS);
      await Promise.all(
        lanes.map(async (lane) => {
          while (performance.now() < roundEnds && !isDone()) {
            const fault = apps.deal(lane.app.name);
            if (fault === null) return;
            await this.#inject(fault, lane.app, lane.random);
          }
        }),
      );
      for (let count = 0; count < DAEMON_FAULTS_IN_A_ROW && !daemon.isEmpty && !isDone(); count++) {
        const app = this.#world.apps[Math.floor(random() * this.#world.apps.length)];
        const fault = daemon.deal('all');
        if (fault !== null && app !== undefined) await this.#inject(fault, app, random);
      }
    }
  }

  async #playApart(deck: Deck): Promise<void> {
    const random = seeded(this.#options.seed * 37);
    const app = this.#world.spare;
    while (!deck.isEmpty && !(this.#isOver && deck.isThrough)) {
      if (this.#books.violations.length >= MOST_VIOLATIONS) return;
      const fault = deck.deal('');
      if (fault === null) return;
      await this.#inject(fault, app, random);
    }
  }

  async #inject(fault: Fault, app: AppUnderLoad, random: () => number): Promise<void> {
    const world = this.#world;
    const fromMs = Date.now();
    let violation: string | null = null;
    try {
      await fault.inject({ world, app, random });
      const concerned = fault.scope === 'app' ? [app] : fault.scope === 'daemon' ? world.all : [];
      if (fault.scope === 'daemon') await settleDaemon(world);
      await settle(world, concerned, fault.provokes ?? []);
    } catch (error) {
      violation = explain(error);
      await this.#tell(fault, app, violation);
      // One violation is not told again as that of the next fault.
      await Promise.allSettled(world.all.map(async (each) => auditApp(world, each, [])));
    }
    const name = fault.scope === 'app' ? app.name : fault.scope === 'daemon' ? 'all' : null;
    this.#books.injections.push({
      fault: fault.name,
      family: fault.family,
      app: name,
      fromMs,
      toMs: Date.now(),
      violation,
    });
  }

  async #tell(fault: Fault, app: AppUnderLoad, violation: string): Promise<void> {
    const { seed, say, replay } = this.#options;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    say(`VIOLATION  seed ${seed}, after ${seconds} s, ${fault.name} (${app.name}): ${violation}`);
    say(`           again: ${replay(fault.name)}`);
    if (fault.scope === 'apart') return;
    const story = await readLast(this.#world, app, STORY_EVENTS).catch((error: unknown) => [explain(error)]);
    for (const line of story) say(`           ${line}`);
  }

  /** Everything settled, the loads' books balanced, the daemon stopped, and nothing left of it. */
  async close(skipped: readonly string[]): Promise<CampaignResult> {
    const world = this.#world;
    const check = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        this.#late.push(`${what}: ${explain(error)}`);
        this.#options.say(`VIOLATION  ${what}: ${explain(error)}`);
      }
    };
    await check('at the end', async () => {
      await settleDaemon(world);
      if (!world.spare.isWanted) await carryOut(world, world.spare, 'start');
      await settle(world, world.all, []);
      await Promise.all(world.apps.map(async (app) => app.untilAnswered(20)));
    });
    const reports = await Promise.all(
      world.apps.map(async (app) => (await app.stopLoads()).map((report) => ({ app: app.name, report }))),
    );
    const loads = reports.flat();
    world.deaths.readJournals();
    await check('after the end', async () => {
      const { code, stderr } = await world.drover.run(['daemon', 'stop']);
      if (code !== 0) throw new Error(`the daemon does not stop: ${stderr}`);
      await eventually('no process is left', () => listMarked(world.drover.home).length === 0);
      const open = world.all.filter(({ facts }) => listShards(facts.port).length > 0);
      if (open.length > 0) throw new Error(`ports of ${open.map(({ name }) => name).join()} are still listened on`);
    });
    const losses = this.#books.losses(loads, world.deaths);
    const total = loads.reduce((sum, { report }) => sum + report.lost, 0);
    if (losses.length < total) this.#late.push(`${total - losses.length} lost requests are not named`);
    return {
      seed: this.#options.seed,
      seconds: Math.round((performance.now() - this.#startedAt) / 1000),
      injected: this.#books.injections.length,
      answered: loads.reduce((sum, { report }) => sum + report.answered, 0),
      excused: losses.filter(({ isExcused }) => isExcused).length,
      lost: losses.filter(({ isExcused }) => !isExcused),
      violations: [
        ...this.#books.violations.map(({ fault, app, violation }) => `${fault} (${app ?? 'apart'}): ${violation}`),
        ...this.#late,
      ],
      rows: this.#books.rows(this.#faults, losses, loads),
      skipped,
      stepsHit: world.stepsHit,
      backMs: world.backMs,
    };
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
