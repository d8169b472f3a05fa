/**
 * Metrics of all apps: the page that scrapers read, and the series that are kept. Agents are asked for everything when
 * somebody reads a page, and not more often than once a second; what is recorded every second is what they report anyway.
 */
import { join } from 'node:path';
import {
  Exposition,
  TimeSeries,
  type AppReading,
  type Collected,
  type Family,
  type PageRequest,
  type Problem,
} from '../metrics/index.ts';
import type { AppHealthDocument, Clock, DaemonConfig, EventInput } from '../protocol/index.ts';
import type { App, Schedule, WorkerHandle } from '../supervisor/index.ts';
import { collect, readApps, readDaemon } from './readings.ts';

export interface MetricsOptions {
  /** Null: nothing is kept on the disk. */
  readonly folder: string | null;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly version: string;
  readonly apps: () => readonly App[];
  readonly config: () => DaemonConfig['metrics'];
  readonly healthOf: (app: App) => AppHealthDocument | undefined;
  /** Of what others know. */
  readonly extra: () => readonly Family[];
  readonly onCollected: (handle: WorkerHandle, collected: Collected) => void;
  readonly events: { append(event: EventInput): number };
  readonly log: (line: string) => void;
}

export interface Metrics {
  page(request: PageRequest): Promise<{ readonly type: string; readonly text: string }>;
  /** Of all apps, with what their agents answer now. */
  readings(): Promise<readonly AppReading[]>;
  /** Counters of the app's own, as they stood when its agents were asked last, summed by name over their labels. */
  named(handle: WorkerHandle, names: readonly string[]): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const RECORD_EVERY_MS = 1000;
/** Objectives on counters of the app's own, and limits of heaps, need what only a collection tells. */
const COLLECT_EVERY_MS = 10_000;
const FRESH_MS = 1000;
const MOST_TOLD = 1000;
/** Of one app, in the life of a daemon: what its metrics lack must not fill the events. */
const MOST_EVENTS = 50;

export const openMetrics = (options: MetricsOptions): Metrics => {
  const { folder, clock, schedule, version, apps, config, healthOf, onCollected, extra, events, log } = options;
  const startedAtMs = clock.wallMs();
  const exposition = new Exposition();
  const series =
    folder === null
      ? null
      : new TimeSeries({
          file: join(folder, 'metrics.db'),
          clock,
          ...config(),
          onTrouble: (trouble) => {
            log(
              trouble === null
                ? 'time series are written again'
                : `time series are ${trouble.kind}: ${trouble.reason}${trouble.setAside === null ? '' : ` (the old file is ${trouble.setAside})`}`,
            );
          },
        });
  let collected: ReadonlyMap<WorkerHandle, Collected | null> = new Map();
  let collectedAt = -Infinity;
  let under: Promise<void> | null = null;
  const refresh = (): Promise<void> => {
    if (clock.monotonicMs() - collectedAt < FRESH_MS) return Promise.resolve();
    under ??= collect(apps(), schedule)
      .then((answers) => {
        collected = answers;
        collectedAt = clock.monotonicMs();
        for (const [handle, answer] of answers) if (answer !== null) onCollected(handle, answer);
        return exposition.readAhead(read(), turn);
      })
      .finally(() => {
        under = null;
      });
    return under;
  };
  const told = new Set<string>();
  const eventsOf = new Map<string, number>();
  /** Each once: a scraper comes every few seconds. */
  const tellProblems = (problems: readonly Problem[]): void => {
    for (const { app, kind, metric, count } of problems) {
      const key = `${app} ${kind} ${metric}`;
      if (told.has(key) || told.size >= MOST_TOLD) continue;
      told.add(key);
      log(`metrics of ${app}: ${metric ?? 'some'} left out (${kind}), ${count} values`);
      const soFar = (eventsOf.get(app) ?? 0) + 1;
      eventsOf.set(app, soFar);
      if (soFar > MOST_EVENTS) continue;
      // A name that is none may have anything in it, lines too.
      const named = metric === null ? 'some series' : kind === 'bad-name' ? JSON.stringify(metric) : metric;
      const reason = `${named}: ${WORDS[kind]}`;
      const further = soFar === MOST_EVENTS ? '; further ones are only counted (drover_metrics_left_out)' : '';
      events.append({ app, type: 'metrics-left-out', reason: `${reason}${further}`, data: { metric, kind, count } });
    }
  };
  const read = (health: MetricsOptions['healthOf'] = () => undefined): readonly AppReading[] =>
    readApps(apps(), collected, health);
  const named = (handle: WorkerHandle, names: readonly string[]): Readonly<Record<string, number>> =>
    sumsOf(collected.get(handle) ?? null, names);

  const record = (): void => {
    const names = new Map(apps().map((app) => [app.app, namesOf(app)]));
    series?.record(
      read().map(({ app, workers }) => ({
        app,
        workers: workers.map(({ worker, spawn, report, acceptQueue, collected: answer }) => {
          const wanted = names.get(app) ?? [];
          const found = wanted.length === 0 ? {} : { named: sumsOf(answer, wanted) };
          return { worker, spawn, report, acceptQueue, ...found };
        }),
      })),
    );
  };
  let callOff = schedule.background(RECORD_EVERY_MS, () => beat());
  let ticks = 0;
  const beat = (): void => {
    callOff = schedule.background(RECORD_EVERY_MS, () => beat());
    ticks += 1;
    if ((ticks * RECORD_EVERY_MS) % COLLECT_EVERY_MS === 0) void refresh();
    record();
    // What a worker did before it ended is counted with the others'.
    if (ticks % 10 === 0) exposition.take(read());
  };
  return {
    async page(request) {
      await refresh();
      const input = { apps: read(healthOf), daemon: readDaemon(version, startedAtMs), extra: extra() };
      const page = await exposition.writeInTurns(input, request, clock.monotonicMs(), turn);
      tellProblems(page.problems);
      return { type: page.contentType, text: page.body };
    },
    async readings() {
      await refresh();
      return read();
    },
    named,
    async close() {
      callOff();
      await series?.close();
    },
  };
};

const WORDS: Readonly<Record<Problem['kind'], string>> = {
  'bad-name': 'its name or type is none that Prometheus takes, or is there twice',
  'bad-label': 'a label has a name that Prometheus does not take, or there are too many',
  'bad-value': 'a counter that is no number or below zero, or a histogram that falls',
  clash: "the name is one of Drover's own, or of another metric",
  'type-conflict': 'another worker or app has it as another type',
  'different-buckets': 'workers have it with different buckets, so that it is shown for each',
  'too-many': 'there are more series than one app may show',
  'agent-limit': 'left out in the worker, because there were too many or they are no series',
  'not-told': 'the app did not tell it',
};

/** Others have had their turn: tens of thousands of series take a while. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The counters that an app's objectives are about. */
const namesOf = (app: App): readonly string[] =>
  app.state.config.slo.flatMap(({ indicator }) =>
    indicator.kind === 'ratio' ? [indicator.good, indicator.total] : [],
  );

/** Of these counters, over their labels; what the worker has not is left out. */
const sumsOf = (collected: Collected | null, names: readonly string[]): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const { name, values } of collected?.app ?? []) {
    if (!names.includes(name)) continue;
    let sum = 0;
    for (const { value, metricName } of values) if (metricName === undefined || metricName === name) sum += value;
    found[name] = sum;
  }
  return found;
};
