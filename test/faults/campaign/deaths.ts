/**
 * Processes that the campaign killed, or made end, and the clients that were connected to them then: only what was in
 * flight on those connections may be lost. Of a process that is killed the kernel is asked, while it is stopped; one that
 * ends by itself has noted its connections (`apps/wishes.mjs`), because nobody knows the moment beforehand.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadReport, LostRequest } from '../../support/load/index.ts';
import { isAlive, killAndListClients } from '../../support/processes.ts';

interface Death {
  readonly app: string;
  readonly pid: number;
  /** Wall clock: when it was killed, or from when to when it ended. */
  readonly fromMs: number;
  toMs: number;
  readonly clients: Set<number>;
}

/** A client may send, or be told, a moment after the death: its segments and the scheduler take their time. */
const SENT_WITHIN_MS = 300;
const TOLD_WITHIN_MS = 2500;
const DESCRIBED_WITHIN_MS = 5000;

export type Fate = 'in flight on a killed process' | 'unexplained';

export class Deaths {
  readonly #journal: string;
  readonly #deaths: Death[] = [];
  readonly #pids = new Set<number>();
  readonly #dying = new Map<number, string>();

  /** `journal`: the folder in which workers note requests and connections. */
  constructor(journal: string) {
    this.#journal = journal;
  }

  /** Kills a worker and all below it. */
  kill(app: string, pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#pids.add(pid);
    const fromMs = Date.now();
    const clients = killAndListClients(pid, signal);
    this.#deaths.push({ app, pid, fromMs, toMs: Date.now(), clients });
    this.#dying.set(pid, app);
  }

  /** Who was killed and is there still: a dump of a process takes its time. */
  dying(app: string): readonly number[] {
    for (const pid of this.#dying.keys()) if (!isAlive(pid)) this.#dying.delete(pid);
    return [...this.#dying].flatMap(([pid, whose]) => (whose === app ? [pid] : []));
  }

  /** It is about to end by itself; the answer tells that it has. */
  expect(app: string, pid: number): () => void {
    this.#pids.add(pid);
    const death: Death = { app, pid, fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY, clients: new Set() };
    this.#deaths.push(death);
    return () => {
      death.toMs = Date.now();
    };
  }

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  get count(): number {
    return this.#deaths.length;
  }

  /** Adds what the dead have noted themselves; once, at the end. */
  readJournals(): void {
    for (const death of this.#deaths) for (const port of this.#connectionsOf(death.pid)) death.clients.add(port);
  }

  judge(app: string, report: LoadReport, { id, sentAtMs, lostAtMs, localPort }: LostRequest): Fate {
    const sent = report.startedAt + sentAtMs;
    const told = report.startedAt + lostAtMs;
    const death = this.#deaths.find(
      (one) =>
        one.app === app &&
        localPort !== null &&
        one.clients.has(localPort) &&
        sent <= one.toMs + SENT_WITHIN_MS &&
        told >= one.fromMs - 1 &&
        told <= one.toMs + TOLD_WITHIN_MS,
    );
    return death === undefined || this.#hasFinished(death.pid, id) ? 'unexplained' : 'in flight on a killed process';
  }

  /** For a loss that nothing explains: the deaths near it, and what is known of its connection in each. */
  describe(app: string, { startedAt }: LoadReport, { id, lostAtMs, localPort }: LostRequest): string {
    const told = startedAt + lostAtMs;
    const near = this.#deaths.filter(
      (one) => one.app === app && told >= one.fromMs - DESCRIBED_WITHIN_MS && told <= one.toMs + DESCRIBED_WITHIN_MS,
    );
    return near
      .map((one) => {
        const knows = [
          ...(localPort !== null && one.clients.has(localPort) ? ['had the connection'] : []),
          ...(this.#hasFinished(one.pid, id) ? ['had finished it'] : []),
        ];
        return `${one.pid} was to die ${(told - one.fromMs).toFixed(0)} ms before and had ${(told - one.toMs).toFixed(0)} ms before (${knows.join(', ') || 'knows nothing of it'})`;
      })
      .join('; ');
  }

  #connectionsOf(pid: number): Set<number> {
    const open = new Set<number>();
    for (const line of this.#linesOf(pid)) {
      if (line.startsWith('c')) open.add(Number(line.slice(1)));
      if (line.startsWith('d')) open.delete(Number(line.slice(1)));
    }
    return open;
  }

  /** The dead process had given its whole answer to the system. */
  #hasFinished(pid: number, id: string): boolean {
    return this.#linesOf(pid).includes(`-${id}`);
  }

  #linesOf(pid: number): string[] {
    try {
      return readFileSync(join(this.#journal, `${pid}.journal`), 'utf8').split('\n');
    } catch {
      return []; // It died before it could note anything.
    }
  }
}
