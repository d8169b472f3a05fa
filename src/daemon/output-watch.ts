/**
 * A worker whose log files were removed goes on writing into files that nobody can open: only a new worker gets new
 * ones. Nothing else tells, so the files of every worker are looked for: in each of the daemon's rounds (`rounds.ts`), and
 * when somebody asks.
 */
import { isKept } from '../logs/index.ts';
import type { WorkerHandle } from '../supervisor/index.ts';

type Worker = Pick<WorkerHandle, 'app' | 'slot' | 'generation'>;

export interface OutputWatchOptions {
  readonly home: string;
  readonly workers: () => readonly Worker[];
  /** Once for each worker. */
  readonly onLost: (worker: Worker, reason: string) => void;
}

export interface OutputWatch {
  /** Told already: this worker has no files, and needs none to be looked for. */
  expectNone(worker: Worker): void;
  /** What whoever types the next command should know; null while nothing is lost. */
  notice(): string | null;
  look(): void;
}

const MOST_NAMED = 3;

export const watchOutput = ({ home, workers, onLost }: OutputWatchOptions): OutputWatch => {
  const without = new Set<string>();
  let lost: readonly Worker[] = [];

  const look = (): void => {
    const all = workers();
    const missing = all.filter((worker) => !without.has(keyOf(worker)) && !isKept(home, worker));
    const known = new Set(lost.map(keyOf));
    lost = missing;
    for (const worker of missing) {
      if (known.has(keyOf(worker))) continue;
      const { app } = worker;
      onLost(worker, `its log files are gone: what it prints is lost until \`drover reload ${app}\``);
    }
    const living = new Set(all.map(keyOf));
    for (const key of without) if (!living.has(key)) without.delete(key);
  };

  return {
    expectNone: (worker) => void without.add(keyOf(worker)),
    notice() {
      look();
      if (lost.length === 0) return null;
      const ids = lost.slice(0, MOST_NAMED).map(({ app, slot }) => `${app}/${slot}`);
      const more = lost.length > ids.length ? ` and ${lost.length - ids.length} more` : '';
      const apps = [...new Set(lost.map(({ app }) => app))];
      const remedy = `drover reload ${apps.length === 1 ? apps[0] : 'all'}`;
      return `the log files of ${ids.join(', ')}${more} are gone: what they print is lost until \`${remedy}\`.`;
    },
    look,
  };
};

const keyOf = ({ app, slot, generation }: Worker): string => `${app}/${slot} ${generation}`;
