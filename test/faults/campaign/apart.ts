/**
 * A Drover of its own for a fault that could ruin the campaign's: one app with a steady load, and the books of that load.
 * Its home may lie on a disk of the fault's.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReceiptDocument } from '../../../src/protocol/index.ts';
import { Drover } from '../../support/drover.ts';
import { type RunningLoad, startLoad } from '../../support/load/index.ts';
import { isAlive } from '../../support/processes.ts';
import { writeConfig } from '../../support/service.ts';
import { freePort, temporaryFolder } from '../../support/temporary.ts';
import { LOADED, settingsOf } from './apps.ts';
import { Deaths } from './deaths.ts';
import { Violation } from './fault.ts';

const LONGEST_SECONDS = 180;
const MORE = 20;

export class Apart implements AsyncDisposable {
  readonly drover: Drover;
  readonly deaths: Deaths;
  readonly #loads: readonly RunningLoad[];
  readonly #close: () => Promise<void>;

  constructor(drover: Drover, deaths: Deaths, loads: readonly RunningLoad[], close: () => Promise<void>) {
    this.drover = drover;
    this.deaths = deaths;
    this.#loads = loads;
    this.#close = close;
  }

  async withSameWorkers(work: () => Promise<void>): Promise<void> {
    const before = await this.drover.pids('app');
    await work();
    const gone = before.filter((pid) => !isAlive(pid));
    if (gone.length > 0) throw new Violation(`workers ${gone.join()} have ended of it`);
  }

  async change(verb: 'reload' | 'restart'): Promise<void> {
    const { outcome, reason } = await this.drover.json<ReceiptDocument>([verb, 'app']);
    if (outcome !== 'completed') throw new Violation(`${verb} ${outcome}: ${reason}`);
  }

  /** The app is there as it should be (where Drover still knows of it), serves, and lost nothing that may not be lost. */
  async finish({ isKnown = true } = {}): Promise<void> {
    if (isKnown) await this.drover.untilReady('app', 2);
    await Promise.all(this.#loads.map(async (load) => load.untilAnswered(MORE)));
    const reports = await Promise.all(this.#loads.map(async (load) => load.stop()));
    this.deaths.readJournals();
    const unexplained = reports.flatMap((report) =>
      report.lostRequests.filter((lost) => this.deaths.judge('app', report, lost) === 'unexplained'),
    );
    if (unexplained.length > 0)
      throw new Violation(`${unexplained.length} requests lost: ${JSON.stringify(unexplained.slice(0, 3))}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#loads.map(async (load) => load.stop()));
    await this.#close();
  }
}

/** `home`: a folder that is there; who made it removes it. */
export async function openApart(home: string): Promise<Apart> {
  // Beside the home: what workers note must be readable whatever becomes of it.
  const notes = await temporaryFolder('notes');
  const drover = new Drover({ path: home, [Symbol.asyncDispose]: async () => {} });
  const close = async (): Promise<void> => {
    try {
      await drover[Symbol.asyncDispose]();
    } finally {
      await notes[Symbol.asyncDispose]();
    }
  };
  try {
    const [port, journal] = [await freePort(), join(notes.path, 'journal')];
    mkdirSync(journal);
    const [http] = LOADED;
    if (http === undefined) throw new Error('no app');
    const settings = settingsOf({ ...http, port }, { JOURNAL: journal });
    await drover.start([writeConfig({ home: notes.path }, { app: settings })]);
    const common = { port, path: '/slow', sendsIds: true, seconds: LONGEST_SECONDS, timeoutMs: 20_000 };
    const loads = await Promise.all([
      startLoad({ ...common, mode: 'kept', connections: 2, pauseMs: [60, 140] }),
      startLoad({ ...common, mode: 'new', connections: 2, pauseMs: [60, 140] }),
    ]);
    const apart = new Apart(drover, new Deaths(journal), loads, close);
    await Promise.all(loads.map(async (load) => load.untilAnswered(MORE)));
    return apart;
  } catch (error) {
    await close();
    throw error;
  }
}
