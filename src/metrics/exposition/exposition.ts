/**
 * `GET /metrics`: what machines read of the apps. One per daemon, since it remembers what ended workers had counted.
 *
 * Three pages, told apart by `scope`, so that no page has one thing twice and a scraper that sums never counts double:
 *
 * - `mixed` (no `scope`): process, Node and request metrics for each worker (labels `app`, `worker`); routes and the app's own
 *   metrics put together over its workers (label `app`).
 * - `app`: everything put together over the workers. The names are the same, so boards work on either.
 * - `worker`: everything for each worker, the app's own metrics too; routes are only put together.
 *
 * With `app` given the page is of that app alone, and its own metrics carry no label `app`: exactly as prom-client wrote them.
 *
 * Bounds what it takes: beyond {@link ExpositionLimits} series are left out, counted and named.
 */
import { PROM_CLIENT_NAMES } from './catalogue.ts';
import { readDataBytes } from './data-segment.ts';
import { namesTaken, type Family } from './family.ts';
import { listAppMetrics, mergeAppMetrics, runningOf, withLabels, type WorkerFamilies } from './merge-app-metrics.ts';
import { negotiateFormat } from './negotiate.ts';
import { ofApps, ofDaemon, OWN_TYPES, ownRunning, perApp, perWorker, type WorkerSource } from './own-families.ts';
import { Problems, type Problem } from './problems.ts';
import { readAppMetrics, shareOut, type AppFamily } from './read-app-metrics.ts';
import type { AppReading, Collected, DaemonReading, WorkerReading } from './reading.ts';
import { RouteTable, type RouteRow } from './route-table.ts';
import { RunningTotals } from './running-totals.ts';
import { atOnce, inTurns, type Sliced } from './slices.ts';
import type { Source } from './catalogue.ts';
import { CONTENT_TYPE, writeText } from './write-text.ts';

export const METRICS_SCOPES = ['mixed', 'app', 'worker'] as const;
export type MetricsScope = (typeof METRICS_SCOPES)[number];

export interface ExpositionLimits {
  /** Series of its own that one app may show; of one worker as many are read at most. */
  readonly seriesPerApp: number;
  /** Values of all workers of one app that are kept together: each worker has an equal part. */
  readonly valuesPerApp: number;
}

export const DEFAULT_EXPOSITION_LIMITS: ExpositionLimits = { seriesPerApp: 10_000, valuesPerApp: 50_000 };

export interface PageRequest {
  /** The header field; null where there was none. */
  readonly accept: string | null;
  readonly scope: MetricsScope;
  /** Only this app; null: all, and the daemon. */
  readonly app: string | null;
}

export interface PageInput {
  readonly apps: readonly AppReading[];
  readonly daemon: DaemonReading | null;
  /** Families of other rooms, named `drover_…`; the first of a name stays. */
  readonly extra?: readonly Family[];
}

export interface Page {
  readonly contentType: string;
  readonly body: string;
  /** What of the apps' own metrics is not on it. */
  readonly problems: readonly Problem[];
}

interface Known {
  readonly totals: RunningTotals;
  readonly own: RunningTotals;
  readonly routes: RouteTable;
  /** Of each spawn: its last answer, as it was read, and the number of the reading that it came with. */
  readonly answers: Map<string, Answer>;
  problems: Problems;
}

interface Answer {
  readonly problems: Problems;
  readonly families: readonly AppFamily[];
  readonly detail: Source['detail'];
}

export class Exposition {
  readonly #limits: ExpositionLimits;
  readonly #apps = new Map<string, Known>();
  readonly #read = new WeakMap<Collected, Answer>();

  constructor(limits: ExpositionLimits = DEFAULT_EXPOSITION_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Takes in what the workers say: all apps that there are, each with all its live workers; who is not among them has
   * ended, with what it said last. Called by {@link write}; call it also with the last report of a worker that ends, or
   * what it did since the last page is not counted.
   */
  take(apps: readonly AppReading[]): void {
    const names = new Set(apps.map(({ app }) => app));
    for (const name of this.#apps.keys()) if (!names.has(name)) this.#apps.delete(name);
    for (const app of apps) this.#takeApp(app);
  }

  /**
   * Reads what the workers have answered before {@link take} needs it, each in a turn of its own (`turn` resolves when others have
   * had theirs): ten thousand series of a worker take the daemon, which runs without V8's optimizing compilers, some 50 ms.
   */
  async readAhead(apps: readonly AppReading[], turn: () => Promise<void>): Promise<void> {
    for (const app of apps) {
      const most = this.#mostOfWorker(app);
      for (const { collected } of app.workers) {
        if (collected === null || this.#read.has(collected)) continue;
        this.#readAnswer(app.app, collected, most);
        if (collected.app.length > 0) await turn();
      }
    }
  }

  /** `atMs`: of a clock that only rises; quantiles of routes are those of the last minute or two by it. */
  write(input: PageInput, request: PageRequest, atMs: number): Page {
    return atOnce(this.#write(input, request, atMs));
  }

  /** The same in slices, between which others have their turn. */
  async writeInTurns(input: PageInput, request: PageRequest, atMs: number, turn: () => Promise<void>): Promise<Page> {
    return inTurns(this.#write(input, request, atMs), turn);
  }

  *#write(input: PageInput, request: PageRequest, atMs: number): Sliced<Page> {
    // In one: who ended in between would be taken for one that lives, and counted twice.
    this.take(input.apps);
    yield;
    const chosen = input.apps.filter(({ app }) => request.app === null || app === request.app);
    const parts: Part[] = [];
    for (const reading of chosen) {
      const known = this.#apps.get(reading.app);
      if (known === undefined) continue;
      // As they are now, all through this page: others may be taken in meanwhile.
      const moment = { reading, known, problems: known.problems, answers: new Map(known.answers) };
      parts.push({ ...moment, ofApp: yield* this.#ofApp(moment, request.scope) });
    }
    const families = this.#collect(parts, input, request, atMs);
    yield;
    const format = negotiateFormat(request.accept);
    const body = yield* writeText(families, format);
    return { contentType: CONTENT_TYPE[format], body, problems: parts.flatMap(({ problems }) => problems.list()) };
  }

  #mostOfWorker({ workers }: AppReading): number {
    const { seriesPerApp, valuesPerApp } = this.#limits;
    return Math.min(seriesPerApp, Math.floor(valuesPerApp / Math.max(1, workers.length)));
  }

  /** The same answer is not read again. */
  #readAnswer(app: string, collected: Collected, most: number): Answer {
    let answer = this.#read.get(collected);
    if (answer === undefined) this.#read.set(collected, (answer = readAnswer(app, collected, most)));
    return answer;
  }

  /** The routes of an app; empty where it is not known. */
  routes(app: string, atMs: number): RouteRow[] {
    return this.#apps.get(app)?.routes.rows(atMs) ?? [];
  }

  #takeApp(app: AppReading): void {
    let known = this.#apps.get(app.app);
    if (known === undefined) {
      known = {
        totals: new RunningTotals(this.#limits.seriesPerApp),
        own: new RunningTotals(this.#limits.seriesPerApp),
        routes: new RouteTable(app.routes),
        answers: new Map(),
        problems: new Problems(app.app),
      };
      this.#apps.set(app.app, known);
    }
    const problems = new Problems(app.app);
    known.routes.most = app.routes;
    const mostOfWorker = this.#mostOfWorker(app);
    for (const reading of app.workers) {
      const { spawn, collected } = reading;
      if (collected !== null) {
        const answer = this.#readAnswer(app.app, collected, mostOfWorker);
        if (known.answers.get(spawn) !== answer) {
          known.answers.set(spawn, answer);
          known.totals.set(spawn, runningOf(answer.families));
          known.routes.set(spawn, collected.routes);
        }
        problems.join(answer.problems);
      }
      known.own.set(spawn, ownRunning(sourceOf(reading, known.answers, null)));
    }
    const spawns = new Set(app.workers.map(({ spawn }) => spawn));
    for (const spawn of known.answers.keys()) if (!spawns.has(spawn)) known.answers.delete(spawn);
    known.totals.retain(spawns);
    known.own.retain(spawns);
    known.routes.retain(spawns);
    known.problems = problems;
  }

  #collect(parts: readonly Part[], input: PageInput, { scope, app: only }: PageRequest, atMs: number): Family[] {
    const own = new Map<string, Family>();
    const add = (family: Family): void => {
      const before = own.get(family.name);
      own.set(family.name, before === undefined ? family : join(before, family));
    };
    const sources = ({ reading, answers }: Moment): Source[] =>
      reading.workers.map((worker) =>
        sourceOf(worker, answers, worker.pid === null ? null : readDataBytes(worker.pid)),
      );
    if (scope === 'app') {
      for (const part of parts) perApp(part.reading.app, sources(part), part.known.own.sums()).forEach(add);
    } else {
      perWorker(
        parts.flatMap((part) =>
          newestOf(sources(part)).map((source): WorkerSource => ({ app: part.reading.app, source })),
        ),
      ).forEach(add);
    }
    const taken = takenBy(OWN_TYPES);
    for (const family of input.extra ?? []) {
      const names = namesTaken(family.name, family.type);
      if (names.some((name) => taken.has(name))) continue;
      for (const name of names) taken.set(name, family.name);
      add(family);
    }
    const appFamilies = addAppFamilies(parts, only === null, taken);
    for (const family of ofApps(
      parts.map(({ reading, known, problems }) => ({
        reading,
        routes: known.routes.rows(atMs),
        leftOut: problems.counts,
      })),
    )) {
      add(family);
    }
    if (only === null && input.daemon !== null) ofDaemon(input.daemon).forEach(add);
    return [...own.values(), ...appFamilies];
  }

  /** The app's own metrics, at most as many series as it may show. */
  *#ofApp({ reading, known, problems, answers }: Moment, scope: MetricsScope): Sliced<Family[]> {
    const workers = reading.workers.flatMap(({ worker, spawn }): WorkerFamilies[] => {
      const answer = answers.get(spawn);
      return answer === undefined ? [] : [{ worker, families: answer.families }];
    });
    const families =
      scope === 'worker' ? listAppMetrics(workers, problems) : yield* mergeAppMetrics(workers, known.totals, problems);
    yield;
    const sizes = families.map(seriesOf);
    const rooms = shareOut(
      families.map(({ points }, index) => (sizes[index] ?? 1) * points.length),
      this.#limits.seriesPerApp,
    );
    return families.map((family, index) => {
      const size = sizes[index] ?? 1;
      const fits = Math.floor((rooms[index] ?? 0) / size);
      if (fits >= family.points.length) return family;
      problems.add('too-many', family.name, (family.points.length - fits) * size);
      return { ...family, points: family.points.slice(0, fits) } as Family;
    });
  }
}

const readAnswer = (app: string, collected: Collected, most: number): Answer => {
  const problems = new Problems(app);
  const families = readAppMetrics(collected.app, most, problems);
  problems.add('agent-limit', null, collected.dropped);
  for (const line of collected.trouble ?? []) problems.add('not-told', line);
  return { problems, families, detail: collected.detail };
};

/** Of two workers in one slot, while one takes over from the other, the newer is shown: they have the same labels. */
const newestOf = (sources: readonly Source[]): Source[] => [
  ...new Map(sources.map((source) => [source.reading.worker, source])).values(),
];

const sourceOf = (reading: WorkerReading, answers: ReadonlyMap<string, Answer>, dataBytes: number | null): Source => ({
  reading,
  report: reading.report,
  detail: answers.get(reading.spawn)?.detail ?? null,
  dataBytes,
});

/** How many lines one point makes, at most. */
function seriesOf({ points }: Family): number {
  const lines = points.map((point) =>
    'bounds' in point ? point.bounds.length + 3 : 'quantiles' in point ? point.quantiles.length + 2 : 1,
  );
  return lines.reduce((most, count) => Math.max(most, count), 1);
}

/** Which family has a name for itself, in either format. */
function takenBy(types: ReadonlyMap<string, Family['type']>): Map<string, string> {
  const taken = new Map<string, string>();
  for (const [name, type] of types) for (const one of namesTaken(name, type)) taken.set(one, name);
  return taken;
}

/** An app when a page was begun. */
interface Moment {
  readonly reading: AppReading;
  readonly known: Known;
  readonly problems: Problems;
  readonly answers: ReadonlyMap<string, Answer>;
}

interface Part extends Moment {
  readonly ofApp: readonly Family[];
}

/** The apps' own families of all apps, those of one name together, without those whose name is taken. */
function addAppFamilies(parts: readonly Part[], withApp: boolean, taken: Map<string, string>): Family[] {
  const families = new Map<string, Family>();
  for (const { reading, problems, ofApp } of parts) {
    for (const family of ofApp) {
      const before = families.get(family.name);
      if (before !== undefined && before.type !== family.type) {
        problems.add('type-conflict', family.name, family.points.length);
        continue;
      }
      const names = namesTaken(family.name, family.type);
      if (names.some((name) => (taken.get(name) ?? family.name) !== family.name || OWN_TYPES.has(name))) {
        // What prom-client collects by itself is on the page already, from us.
        if (!PROM_CLIENT_NAMES.has(family.name)) problems.add('clash', family.name, family.points.length);
        continue;
      }
      for (const name of names) taken.set(name, family.name);
      const points = withApp
        ? family.points.map((point) => ({ ...point, labels: withLabels([['app', reading.app]], point.labels) }))
        : family.points;
      const labelled = { ...family, points } as Family;
      families.set(family.name, before === undefined ? labelled : join(before, labelled));
    }
  }
  return [...families.values()];
}

const join = (a: Family, b: Family): Family => ({ ...a, points: [...a.points, ...b.points] }) as Family;
