/**
 * Everything bad at once, through one real daemon: an app whose metrics and checks are from hell and that is asked for a hundred
 * thousand different paths, probes to hosts that hang and commands that do not end, receivers of alerts that stall, fail or talk
 * for ever beside one that is well, a collector that takes nothing; the daemon is killed in the middle of it. Then everything is
 * well again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPeakBytes } from '../../../bench/processes.ts';
import type { AlertsDocument, EventDocument, HealthDocument, WhyDocument } from '../../../src/protocol/index.ts';
import { type HttpReceiver, openHttpReceiver, stall, status, hangUp } from '../../alerts/support.ts';
import { type Drover, openDrover } from '../../support/drover.ts';
import { eventually } from '../../support/eventually.ts';
import { startLoad } from '../../support/load/index.ts';
import { listProcesses, readEnvironment } from '../../support/processes.ts';
import { ask, fixture, pidsOf, read, readApp } from '../../support/service.ts';
import { freePort } from '../../support/temporary.ts';
import { HANGING, openCollector, openHangingHost } from './hosts.ts';
import { askManyPaths } from './many-paths.ts';
import { type Answered, startPoll } from './poll.ts';

export interface Wishes {
  readonly labelValues: number;
  readonly paths: number;
  /** How long it stays bad at least, before and after the daemon is killed. */
  readonly badMs: number;
  /** Wait for what receivers are told a minute later, and for those that were bad: takes several minutes. */
  readonly untilAllIsTold: boolean;
}

export interface Outcome {
  readonly victims: number;
  /** Requests of the normal traffic. */
  readonly answered: number;
  readonly lost: Readonly<Record<string, number>>;
  readonly pathsAnswered: number;
  readonly daemonPeakMb: readonly number[];
  /** Of each worker, before it was bad and at the most. */
  readonly workersMb: readonly (readonly [before: number, most: number])[];
  /** While a daemon was there. */
  readonly poll: readonly Answered[];
  /** Pages that were read, and what promtool or HTTP had against them. */
  readonly pages: number;
  readonly pageMostMb: number;
  readonly pageMostMs: number;
  readonly pageProblems: readonly string[];
  /** Names of apps whose alert the good receiver was not told of; and of its end. */
  readonly untold: readonly string[];
  readonly unresolved: readonly string[];
  /** What was to be delivered before the daemon was killed and is nowhere after. */
  readonly lostMessages: readonly string[];
  readonly deadLetters: number;
  /** Apps, receivers, metrics whose trouble is named nowhere where it should be. */
  readonly unclear: readonly string[];
  /** What is not quiet when everything is well again. */
  readonly unquiet: readonly string[];
  readonly restarted: readonly string[];
  readonly defects: readonly string[];
}

const WORKERS = 4;
const SHOP = 'shop';
const PROMTOOL_PARSE_FAILED = 1;

interface Victim {
  readonly probe: Readonly<Record<string, unknown>>;
  /** What its people are told. */
  readonly says: RegExp;
}

const COMMANDS: Readonly<Record<string, Victim>> = {
  'exec-deaf': {
    probe: { exec: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] },
    says: /did not end within 1000 ms/,
  },
  'exec-loud': {
    probe: { exec: ['/usr/bin/head', '-c', '1G', '/dev/zero'] },
    says: /printed more than a MiB|did not end/,
  },
  'exec-forks': {
    probe: { exec: ['/bin/sh', '-c', 'for i in 1 2 3 4 5; do sleep 600 & done; printf "no\\\\0\\\\033[2J"; exit 3'] },
    says: /ended with code 3/,
  },
  'exec-none': { probe: { exec: ['/nowhere/at/all'] }, says: /could not be started/ },
};

const SAYS: Readonly<Record<string, RegExp>> = {
  silent: /within 1000 ms/,
  drip: /within 1000 ms/,
  'endless-headers': /header|overflow|within/i,
  'endless-body': /500/,
  reset: /reset|closed|hang up/i,
  nonsense: /HTTP|parse/i,
};

export const playBadInput = async (wishes: Wishes): Promise<Outcome> => {
  await using stack = new AsyncDisposableStack();
  const drover = stack.use(await openDrover());
  const told = join(drover.home, 'told');
  mkdirSync(told);
  const [port, healthPort] = [await freePort(), await freePort()];
  const victims = new Map<string, Victim>(Object.entries(COMMANDS));
  for (const manner of HANGING) {
    const host = stack.use(await openHangingHost(manner));
    const probe = { http: '/', host: '127.0.0.1', port: host.port };
    victims.set(`http-${manner}`, { probe, says: SAYS[manner] ?? /./ });
  }
  // Of a network for documentation (RFC 5737): nobody is there.
  victims.set('tcp-nowhere', {
    probe: { tcp: 9, host: '192.0.2.1' },
    says: /within 1000 ms|not to be reached|was refused/,
  });
  const good = stack.use(await openHttpReceiver());
  const bad = {
    stalls: stack.use(await openHttpReceiver(stall)),
    fails: stack.use(await openHttpReceiver(status(500, {}, 'x'.repeat(100_000)))),
    closes: stack.use(await openHttpReceiver(hangUp)),
    talks: stack.use(await openHttpReceiver(talk)),
  };
  const refuses = stack.use(await openHttpReceiver(status(400, {}, 'no\0\u001b[2J')));
  const collector = stack.use(await openCollector());
  const receivers = [good, ...Object.values(bad), refuses].map(({ url }) => ({ webhook: url, groupWait: 0 }));
  const commands = ['/bin/sleep 600', '/usr/bin/yes'].map((words) => ({ command: words.split(' '), groupWait: 0 }));
  const configure = (isBad: boolean): string =>
    writeFile(drover, {
      daemon: {
        health: { port: healthPort },
        alerts: [...receivers, ...commands],
        otlp: { endpoint: `http://127.0.0.1:${collector.port}`, interval: '1s' },
      },
      apps: {
        [SHOP]: {
          script: fixture('metrics-from-hell.cjs'),
          port,
          instances: WORKERS,
          env: { TOLD: told, MANY: String(wishes.labelValues) },
          drain: { idleGrace: '2s' },
          ready: { stableFor: '100ms' },
          metrics: { routes: 100 },
          ...(isBad && { probes: { readiness: { inProcess: true, period: '500ms', failureThreshold: 10 } } }),
        },
        ...Object.fromEntries(
          [...victims].map(([name, { probe }]) => [
            name,
            {
              command: ['/bin/sleep', '100000'],
              ready: { stableFor: '100ms' },
              // Another process would be asked in the same way: what is wrong is what it is asked by.
              heal: { enabled: false },
              ...(isBad && { probes: { liveness: { ...probe, period: '500ms', failureThreshold: 2 } } }),
            },
          ]),
        ),
      },
    });

  await drover.start([configure(false)]);
  const pids = pidsOf(await readApp(drover, SHOP));
  const load = await startLoad({ mode: 'new', port, connections: 6, pauseMs: [10, 40], seconds: 580 });
  await load.untilAnswered(100);
  const before = pids.map(readPeakBytes);
  const firstDaemon = (await drover.daemon()).pid ?? 0;
  const poll = startPoll(join(drover.home, 'drover.sock'));
  const page = new PageReader(healthPort);

  writeFileSync(join(told, 'bad'), '');
  await mustApply(drover, configure(true));
  const began = performance.now();
  const paths = askManyPaths(port, wishes.paths);
  const names = [...victims.keys()];
  await page.readUntil(async () => {
    const alerts = await readAlerts(drover);
    const firing = new Set(
      alerts.alerts.filter((one) => one.status === 'firing' && one.name === 'app-critical').map(({ app }) => app),
    );
    return names.every((name) => firing.has(name)) && performance.now() - began > wishes.badMs;
  });
  const pathsAnswered = await paths;
  await eventually('the receiver that refuses has made dead letters', async () => {
    const { receivers: each, undelivered } = await readAlerts(drover);
    if (undelivered.length === 0) throw new Error(JSON.stringify(each));
    return true;
  });

  // One that stalls has been told ten seconds later that it is not well.
  const doomed = await eventually(
    'it is known why nobody takes anything',
    async () => {
      const document = await readAlerts(drover);
      return document.receivers.filter(({ lastProblem }) => lastProblem !== null).length >= 6 && document;
    },
    { withinMs: 30_000, everyMs: 200 },
  );
  const unclear = await findUnclear(drover, victims, page);
  const atDeath = await readAlerts(drover);
  const daemonPeak = [readPeakBytes(firstDaemon)];
  const diedAt = Date.now();
  const next = await drover.killDaemon({ withinMs: 30_000 });
  const afterDeath = await eventually('alerts are known again', async () => readAlerts(drover), { withinMs: 20_000 });
  const backAt = Date.now();
  const lostMessages = findLost(atDeath, afterDeath);
  const since = performance.now();
  await page.readUntil(async () => performance.now() - since > wishes.badMs / 3);
  const most = pids.map(readPeakBytes);

  rmSync(join(told, 'bad'));
  for (const receiver of Object.values(bad)) receiver.answer = status(200);
  collector.isWell = true;
  await mustApply(drover, configure(false));
  const unquiet = await findUnquiet(drover, page, names, collector);
  const told_ = (state: string, { received }: HttpReceiver): Set<string> =>
    new Set(
      received.flatMap(({ body }) =>
        body.alerts
          .filter((one) => one.status === state && one.labels['alertname'] === 'app-critical')
          .map(({ labels }) => labels['app'] ?? ''),
      ),
    );
  const missing = (state: string, receiver: HttpReceiver): string[] => {
    const all = told_(state, receiver);
    return names.filter((name) => !all.has(name));
  };
  if (wishes.untilAllIsTold) {
    const everybody = [good, ...Object.values(bad)];
    // The longest wait after so many failures is five minutes.
    await eventually(
      'everybody is told of the end of everything',
      () => everybody.every((receiver) => missing('resolved', receiver).length === 0),
      { withinMs: 420_000, everyMs: 500 },
    ).catch(() => undefined);
    for (const [name, receiver] of Object.entries(bad))
      for (const app of missing('resolved', receiver)) lostMessages.push(`${name} was never told of the end of ${app}`);
  }
  daemonPeak.push(readPeakBytes(next.pid ?? 0));
  const report = await load.stop();
  const answers = (await poll.stop()).filter(({ at }) => at < diedAt - 500 || at > backAt);
  const events = await readAllEvents(drover);
  const now = pidsOf(await readApp(drover, SHOP));
  void doomed;
  return {
    victims: names.length,
    answered: report.answered,
    lost: report.lostByReason,
    pathsAnswered,
    daemonPeakMb: daemonPeak.map(mb),
    workersMb: before.map((bytes, index) => [mb(bytes), mb(most[index] ?? 0)] as const),
    poll: answers,
    pages: page.read,
    pageMostMb: page.mostBytes / 1024 ** 2,
    pageMostMs: page.mostMs,
    pageProblems: page.problems,
    untold: missing('firing', good),
    unresolved: wishes.untilAllIsTold ? missing('resolved', good) : [],
    lostMessages,
    deadLetters: afterDeath.undelivered.length,
    unclear,
    unquiet,
    restarted: now.filter((pid) => !pids.includes(pid)).map(String),
    defects: events.filter(({ type }) => type === 'defect').map(({ reason }) => reason ?? ''),
  };
};

const mb = (bytes: number): number => Math.round(bytes / 1024 ** 2);

/** Answers 503 and goes on and on. */
const talk: Parameters<typeof openHttpReceiver>[0] = (response) => {
  response.writeHead(503);
  const more = (): void => void (response.destroyed || response.write('x'.repeat(1_000), () => setImmediate(more)));
  more();
};

const writeFile = (drover: Drover, config: unknown): string => {
  const file = join(drover.home, 'drover.config.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
};

const mustApply = async (drover: Drover, file: string): Promise<void> => {
  const { code, stdout, stderr } = await drover.run(['apply', file]);
  if (code !== 0) throw new Error(`apply ended with ${code}\n${stdout}${stderr}`);
};

const readAlerts = async (drover: Drover): Promise<AlertsDocument> => read<AlertsDocument>(drover, '/v1/alerts');

const readAllEvents = async (drover: Drover): Promise<readonly EventDocument[]> => {
  const { stdout } = await drover.run(['events', '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EventDocument);
};

/** What waited for a receiver, or was given up, and is nowhere any more. What waits is merged by group, never fewer groups. */
const findLost = (before: AlertsDocument, after: AlertsDocument): string[] => {
  const lost: string[] = [];
  const dead = new Set(after.undelivered.map(({ id }) => id));
  for (const { id, receiver } of before.undelivered)
    if (!dead.has(id)) lost.push(`the dead letter ${id} of ${receiver}`);
  for (const { id, waiting, lastTakenAt } of before.receivers) {
    const there = after.receivers.find((one) => one.id === id)?.waiting ?? 0;
    // The good one may have taken it meanwhile.
    if (lastTakenAt === null && there < waiting) lost.push(`${waiting - there} of ${waiting} that waited for ${id}`);
  }
  const firing = new Set(
    after.alerts.filter(({ status: is }) => is === 'firing').map(({ fingerprint }) => fingerprint),
  );
  for (const { fingerprint, status: is, name, app } of before.alerts)
    if (is === 'firing' && !firing.has(fingerprint)) lost.push(`the alert ${name} of ${app}`);
  return lost;
};

/** Reads the page again and again, and has promtool look at some of them. */
class PageReader {
  read = 0;
  mostBytes = 0;
  mostMs = 0;
  last = '';
  readonly problems: string[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async readOnce(): Promise<void> {
    const began = performance.now();
    const { status: code, body } = await ask(this.#port, '/metrics');
    this.mostMs = Math.max(this.mostMs, performance.now() - began);
    this.read += 1;
    this.mostBytes = Math.max(this.mostBytes, Buffer.byteLength(body));
    this.last = body;
    if (code !== 200) this.problems.push(`it answered ${code}`);
    const promtool = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    // What it only finds unusual is the app's (exit 3).
    if (promtool.status === PROMTOOL_PARSE_FAILED || promtool.status === null)
      this.problems.push(`promtool: ${(promtool.stderr ?? '').slice(0, 300)}`);
  }

  async readUntil(holds: () => Promise<boolean>): Promise<void> {
    await eventually(
      'enough was read',
      async () => {
        await this.readOnce();
        return holds();
      },
      { withinMs: 120_000, everyMs: 1000 },
    );
  }

  /** Of the shop, by reason. */
  leftOut(reason: string): number {
    const line = new RegExp(`^drover_metrics_left_out\\{app="${SHOP}",reason="${reason}"\\} (\\S+)$`, 'm');
    return Number(line.exec(this.last)?.[1] ?? NaN);
  }
}

const findUnclear = async (
  drover: Drover,
  victims: ReadonlyMap<string, Victim>,
  page: PageReader,
): Promise<readonly string[]> => {
  const unclear: string[] = [];
  const must = (what: string, text: string, pattern: RegExp): void => {
    if (!pattern.test(text)) unclear.push(`${what} says nothing like ${pattern.source}: ${text.slice(0, 2000)}`);
  };
  const health = await read<HealthDocument>(drover, '/v1/health');
  for (const [name, { says }] of victims) {
    const app = health.apps.find((one) => one.name === name);
    must(`health of ${name}`, `${app?.status} ${app?.reason}`, new RegExp(`critical.*(?:${says.source})`, says.flags));
    if (app?.status !== 'critical') unclear.push(`${name} is ${app?.status}`);
  }
  const shop = health.apps.find(({ name }) => name === SHOP);
  const checks = new Map(shop?.workers.flatMap(({ checks: all }) => all.map((one) => [one.name, one.error ?? ''])));
  must('a check that never answers', checks.get('never-answers') ?? '', /no answer within 300 ms/);
  must('a check that throws what has no words', checks.get('throws-mute') ?? '', /without words/);
  const text = await drover.run(['health', 'http-silent']);
  must('drover health http-silent', text.stdout, /http-silent.*critical[^]*liveness[^]*within 1000 ms/);
  const exec = await drover.run(['health', 'exec-forks']);
  const why = await drover.json<WhyDocument>(['why', 'exec-deaf']);
  must('drover why exec-deaf', JSON.stringify(why), /probe failed.*did not end within 1000 ms/);
  const alerts = await drover.run(['alerts']);
  for (const said of [/answered 500/, /within 10000 ms/, /answered 400/, /was killed/, /answered 503/])
    must('drover alerts', alerts.stdout, said);
  const raw = /.{0,40}[^\P{Cc}\n].{0,40}/u.exec(alerts.stdout + text.stdout + exec.stdout);
  if (raw !== null) unclear.push(`what others said reaches the terminal as it is: ${JSON.stringify(raw[0])}`);
  const events = await readAllEvents(drover);
  const leftOut = events
    .filter(({ app, type }) => app === SHOP && type === 'metrics-left-out')
    .map(({ type, reason }) => `${type} ${reason}`);
  for (const said of [
    /metrics-left-out.*registry.*(not answered within 1000 ms|has not answered yet)/,
    /metrics-left-out.*metric (hangs|throws)/,
    /metrics-left-out.*holds the event loop/,
    /metrics-left-out.*(odd_labels|odd_types|own_buckets|bad_histogram)/,
  ])
    must('events of the shop', leftOut.join('\n'), said);
  const undelivered = events.find(({ type }) => type === 'alert-undelivered');
  must('an event of what was not delivered', undelivered?.reason ?? 'there is none', /answered 400/);
  await page.readOnce();
  must('the page', /^odd_labels.*$/m.exec(page.last)?.[0] ?? page.last, /^odd_labels\{app="shop"/);
  if (!/^odd_labels\{.*who="\\"\\\\\\n\uFFFD/m.test(page.last))
    unclear.push('the page has no label with quotes and lines');
  if (!(page.leftOut('agent-limit') > 0)) unclear.push('the page counts nothing that was left out');
  return unclear;
};

const findUnquiet = async (
  drover: Drover,
  page: PageReader,
  names: readonly string[],
  collector: { readonly taken: number },
): Promise<readonly string[]> => {
  const unquiet: string[] = [];
  const settle = async (what: string, holds: () => Promise<boolean>, withinMs = 45_000): Promise<void> => {
    try {
      await eventually(what, holds, { withinMs, everyMs: 500 });
    } catch (error) {
      unquiet.push(
        `${what}: ${error instanceof Error && error.cause !== undefined ? (error.cause as Error).message : 'no'}`,
      );
    }
  };
  await settle('everything is healthy', async () => {
    const { apps } = await read<HealthDocument>(drover, '/v1/health');
    const ill = apps.filter(({ status: is }) => is !== 'healthy');
    if (ill.length > 0) throw new Error(ill.map(({ name, reason }) => `${name}: ${reason}`).join('; '));
    return true;
  });
  await settle('no alert fires', async () => {
    const firing = (await readAlerts(drover)).alerts.filter(({ status: is }) => is === 'firing');
    if (firing.length > 0) throw new Error(firing.map(({ name, app }) => `${name} ${app}`).join());
    return names.length > 0;
  });
  await settle('nothing is left out of the page', async () => {
    await page.readOnce();
    const left = ['agent-limit', 'not-told', 'bad-label', 'bad-value'].filter((reason) => page.leftOut(reason) !== 0);
    if (left.length > 0) throw new Error(left.map((reason) => `${reason} ${page.leftOut(reason)}`).join());
    return /^orders_total\{app="shop"\} \d+$/m.test(page.last);
  });
  await settle('the collector is told again', async () => collector.taken > 0);
  await settle('no command of a probe is left', async () => {
    const commands = listProcesses().filter(
      (pid) => readEnvironment(pid).includes(drover.home) && isOfProbe(commandLineOf(pid)),
    );
    if (commands.length > 0) throw new Error(commands.map(commandLineOf).join('; '));
    return true;
  });
  return unquiet;
};

/** A guard of the daemon's sleeps as well, for a second at a time. */
const isOfProbe = (line: string): boolean => line.startsWith('/bin/sh\0-c') || line.startsWith('sleep\x00600');

const commandLineOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
