/** One app of the campaign: what it should be, how it is asked to misbehave, and the load on it. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppDocument } from '../../../src/protocol/index.ts';
import type { DroverClient } from '../../../src/client/index.ts';
import { type LoadReport, type LoadSpec, type RunningLoad, startLoad } from '../../support/load/index.ts';

export type BootWish = 'throw' | 'hang' | 'exit-0' | 'never-listen' | 'slow' | 'ignore-sigterm' | 'leave-children';
export type Wish =
  | 'close-listener'
  | 'take-descriptors'
  | 'take-memory'
  | 'throw'
  | 'exit-0'
  | 'block'
  | 'garbage'
  | 'flood'
  | 'lies';

export interface AppFacts {
  readonly name: string;
  readonly script: string;
  readonly port: number;
  readonly instances: number;
  readonly loads: readonly (Partial<LoadSpec> & Pick<LoadSpec, 'mode'>)[];
}

export class AppUnderLoad {
  readonly facts: AppFacts;
  /** How many workers should run. */
  instances: number;
  /** False while it is stopped. */
  isWanted = true;
  /** Its last event that was looked at. */
  cursor = 0;
  /** Workers that were asked to go: their ends are explained. */
  readonly leaving = new Set<number>();
  readonly #client: DroverClient;
  readonly #wishes: string;
  #loads: readonly RunningLoad[] = [];

  constructor(facts: AppFacts, client: DroverClient, wishes: string) {
    this.facts = facts;
    this.instances = facts.instances;
    this.#client = client;
    this.#wishes = wishes;
  }

  get name(): string {
    return this.facts.name;
  }

  get environment(): Readonly<Record<string, string>> {
    return { BOOT_WISH: this.#file('boot'), WISH: this.#file('wish') };
  }

  async startLoads(seconds: number): Promise<void> {
    const { port, loads } = this.facts;
    this.#loads = await Promise.all(
      loads.map(async (load) => startLoad({ port, sendsIds: true, seconds, timeoutMs: 20_000, ...load })),
    );
    await this.untilAnswered(20);
  }

  async untilAnswered(more: number): Promise<void> {
    await Promise.all(this.#loads.map(async (load) => load.untilAnswered(more)));
  }

  async stopLoads(): Promise<readonly LoadReport[]> {
    return Promise.all(this.#loads.map(async (load) => load.stop()));
  }

  get lost(): number {
    return this.#loads.reduce((sum, load) => sum + load.lost, 0);
  }

  async document(): Promise<AppDocument> {
    const { apps } = await this.#client.list();
    const app = apps.find(({ name }) => name === this.name);
    if (app === undefined) throw new Error(`${this.name} is not known`);
    return app;
  }

  /** The pids of its ready workers. */
  async pids(): Promise<number[]> {
    const { workers } = await this.document();
    return workers
      .flatMap(({ pid, status }) => (pid !== null && status === 'ready' ? [pid] : []))
      .toSorted((a, b) => a - b);
  }

  /** How the next boots go; null: well. */
  wishForBoots(wish: BootWish | null): void {
    if (wish === null) rmSync(this.#file('boot'), { force: true });
    else writeFileSync(this.#file('boot'), wish);
  }

  /** A worker does it now. */
  ask(pid: number, wish: Wish): void {
    writeFileSync(this.#file('wish'), wish);
    process.kill(pid, 'SIGUSR2');
  }

  #file(kind: 'boot' | 'wish'): string {
    return join(this.#wishes, `${this.name}.${kind}`);
  }
}
