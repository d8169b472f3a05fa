/**
 * The agent of one worker: connects the app's servers, counters and signals with the daemon's messages. What it does
 * in each case is in the files it calls; this one only says when.
 */
import {
  AGENT_PROTOCOL,
  type AgentBoot,
  type AgentMessage,
  type AgentReport,
  type DaemonMessage,
  type DrainSummary,
  type LogDrops,
} from '../protocol/agent.ts';
import {
  closeAfter,
  Drain,
  Http2Sessions,
  protocolOf,
  monotonicMs,
  RequestMeter,
  RuntimeMeter,
  sumDrops,
  Upgrades,
  type ClientHandle,
  type NetModule,
  type NetServer,
  type NetSocket,
  type ServerHandle,
  type ServerProtocol,
} from '../runtime/index.ts';
import { provideAppIpc, type AppIpc } from './app-ipc.ts';
import { addSummaries, type Branches } from './branches.ts';
import { DropNews } from './drop-news.ts';
import { headlineOf } from './headline.ts';
import { HealthDesk } from './health-desk.ts';
import type { Link } from './link.ts';
import type { MeetingPoint } from './meeting-point.ts';
import { Listeners } from './listeners.ts';
import type { OutputGuard } from './output-guard.ts';
import { endProcess } from './shutdown.ts';
import { hearThreads, type ThreadDrops } from './thread-drops.ts';

type Phase = 'booting' | 'serving' | 'draining';

/** Without traffic, a report in so many is sent. */
const QUIET_FACTOR = 10;
/** An exception that the app has survived for longer than this is not why it ends. */
const FATAL_WITHIN_S = 1;
/** Times that a report was due while the one before it had not been acknowledged: the daemon may have died. */
const UNANSWERED_TO_DOUBT = 3;

export class Agent {
  readonly #boot: AgentBoot;
  readonly #link: Link;
  readonly #requests: RequestMeter;
  readonly #upgrades: Upgrades;
  readonly #http2: Http2Sessions;
  /** Those that listen, or have connections still. An app may open servers for as long as it lives. */
  readonly #servers = new Set<NetServer>();
  readonly #watched = new WeakSet<NetServer>();
  readonly #tlsSockets = new Set<NetSocket>();
  /** Clients that came over a private socket: the daemon's probes, which are nobody's traffic. */
  readonly #privateClients = new WeakSet<ClientHandle>();
  #hasPrivateClients = false;
  readonly #ipc: AppIpc;
  readonly #branches: Branches | null;
  readonly #output: OutputGuard | null;
  readonly #threads: ThreadDrops | null;
  readonly #meeting: MeetingPoint;
  readonly #health: HealthDesk;
  readonly #runtime = new RuntimeMeter();
  #listeners: Listeners | null = null;
  #phase: Phase = 'booting';
  /** Of this process's life, in seconds. */
  #signalledReadyAt: number | null = null;
  #seq = 0;
  #unacknowledged: number | null = null;
  #unanswered = 0;
  #reportedActivity = -1;
  #quietReports = 0;
  #hasNews = false;
  readonly #dropNews = new DropNews();
  #reportTimer: NodeJS.Timeout | null = null;
  /** What was thrown last and not caught, and when, in seconds of this process's life. */
  #uncaught: { readonly reason: string; readonly at: number } | null = null;
  /** What the daemon said before the app had a server. */
  #mayAccept: boolean;

  /** `branches`: what the app forks by node:cluster; null in such a fork. `output`: null where it is no file. */
  constructor(
    boot: AgentBoot,
    link: Link,
    branches: Branches | null,
    output: OutputGuard | null,
    meeting: MeetingPoint,
  ) {
    this.#boot = boot;
    this.#link = link;
    this.#branches = branches;
    this.#output = output;
    this.#meeting = meeting;
    this.#threads = output === null ? null : hearThreads();
    this.#mayAccept = boot.acceptAtOnce;
    const isPrivate = (socket: NetSocket): boolean => this.#isPrivate(socket);
    this.#requests = new RequestMeter({ now: monotonicMs, isPrivate });
    this.#upgrades = new Upgrades(() => this.#requests.countUpgrade());
    this.#http2 = new Http2Sessions(this.#requests, isPrivate);
    this.#health = new HealthDesk({
      meeting,
      agentFile: __filename,
      output,
      servers: this.#servers,
      share: link.share ?? null,
      requests: this.#requests,
      runtime: this.#runtime,
      send: (message) => this.#send(message),
      onNews: () => this.#reportNews(),
    });
    this.#requests.attach();
    this.#ipc = provideAppIpc((payload) => this.#sendForApp(payload));
    meeting.attach({
      onReady: () => void this.#sendForApp('ready'),
      // Not counted as one that waits for its answer: the daemon shall know before the app listens.
      onExpectReady: () => void this.#send({ type: 'report', report: this.#report(), replyTo: null }),
      onHurry: () => this.#reportNews(),
    });
    this.#scheduleReports(boot.reportEveryMs);
    process.on('uncaughtExceptionMonitor', (error: unknown) => {
      this.#uncaught = { reason: headlineOf(error), at: process.uptime() };
    });
    process.on('exit', (code) => this.#sayLastWord(code));
  }

  /** Patches `net`; called when the app is about to listen for the first time. */
  hook(net: NetModule): void {
    this.#listeners ??= new Listeners(
      {
        net,
        shards: this.#boot.shards,
        link: this.#link,
        onServer: (server, protocol) => this.#watch(server, protocol),
        onConnection: (role, client) => {
          if (role !== 'private') return this.#requests.countConnection();
          this.#hasPrivateClients = true;
          this.#privateClients.add(client);
        },
      },
      this.#mayAccept,
    );
  }

  /** Watches the servers of a process whose sockets come from its parent. */
  observe(net: NetModule): void {
    const { prototype } = net.Server;
    const original = prototype._listen2;
    const watch = (server: NetServer): void => this.#watch(server, protocolOf(server));
    prototype._listen2 = function _listen2(...args) {
      watch(this);
      original.apply(this, args);
    };
  }

  /** A daemon is there that may know nothing of us, or not of what we asked the one before. */
  connected(): void {
    this.hello();
    this.#listeners?.askAgain();
  }

  hello(): void {
    this.#unacknowledged = null;
    this.#send({
      type: 'hello',
      v: AGENT_PROTOCOL,
      spawn: this.#boot.spawn,
      pid: process.pid,
      node: process.versions.node,
      phase: this.#phase,
      signalledReady: this.#signalledReadyAt !== null,
      ...(this.#signalledReadyAt !== null && {
        signalledReadyMs: Math.round((process.uptime() - this.#signalledReadyAt) * 1000),
      }),
      servers: this.#listeners?.states() ?? [],
      report: this.#report(),
    });
  }

  receive(message: DaemonMessage, handle: ServerHandle | null): void {
    switch (message.type) {
      case 'welcome':
        this.#scheduleReports(message.reportEveryMs);
        return this.connected();
      case 'grant':
        return this.#listeners?.onGrant(message);
      case 'descriptor':
        if (this.#listeners === null) handle?.close();
        return this.#listeners?.onDescriptor(message, handle);
      case 'uncover':
        return this.#listeners?.onUncover(message);
      case 'refuse':
        return this.#listeners?.onRefuse(message);
      case 'bind':
        return this.#listeners?.onBind(message);
      case 'accept':
        return this.#accept();
      case 'hold':
        this.#mayAccept = false;
        return this.#listeners?.hold(false);
      case 'drain':
        return this.#drain(message);
      case 'renew':
        return this.#renew(message.share);
      case 'report-now':
        this.#send({ type: 'report', report: this.#report(), replyTo: message.id });
        return;
      case 'ack':
        if (this.#unacknowledged === message.seq) this.#unacknowledged = null;
        return;
      case 'message':
        return this.#ipc.deliver(message.payload);
      case 'settings':
      case 'ping':
      case 'collect':
      case 'ask-routes':
      case 'degrade':
      case 'recover':
        return this.#health.receive(message);
    }
  }

  #send(message: AgentMessage): boolean {
    return this.#link.send(message);
  }

  #sendForApp(payload: unknown): boolean {
    if (payload !== 'ready') return this.#send({ type: 'message', payload });
    this.#signalledReadyAt ??= process.uptime();
    return this.#send({ type: 'ready' });
  }

  #isPrivate(socket: NetSocket): boolean {
    if (!this.#hasPrivateClients) return false;
    const handle = (socket._parent ?? socket)._handle;
    return handle !== null && handle !== undefined && this.#privateClients.has(handle);
  }

  #watch(server: NetServer, protocol: ServerProtocol): void {
    this.#servers.add(server);
    this.#health.watch(server);
    if (this.#watched.has(server)) return;
    this.#watched.add(server);
    server.on('close', () => {
      // It may listen again by now.
      if (!server.listening) this.#servers.delete(server);
    });
    if (protocol === 'http' || protocol === 'https') this.#upgrades.watch(server, ['upgrade', 'connect']);
    if (protocol === 'http2') {
      this.#http2.watch(server);
      this.#upgrades.watch(server, ['upgrade']);
    }
    if ('setSecureContext' in server) {
      server.prependListener('secureConnection', (socket: NetSocket) => {
        this.#tlsSockets.add(socket);
        socket.once('close', () => this.#tlsSockets.delete(socket));
      });
    }
  }

  #accept(): void {
    if (this.#phase === 'draining') return;
    this.#phase = 'serving';
    this.#mayAccept = true;
    this.#listeners?.accept();
  }

  #drain(message: Extract<DaemonMessage, { type: 'drain' }>): void {
    if (this.#phase === 'draining') return;
    this.#phase = 'draining';
    this.#mayAccept = false;
    this.#listeners?.hold(message.thenExit);
    this.#send({ type: 'draining', report: this.#report() });
    const scope = {
      servers: this.#servers,
      tlsSockets: this.#tlsSockets,
      meter: this.#requests,
      upgrades: this.#upgrades,
      http2: this.#http2,
      now: monotonicMs,
    };
    // The drain belongs to this object by its timer and ends in the callback.
    const own = new Promise<DrainSummary>((resolve) => void new Drain(scope, message, resolve));
    // A worker that is only off rotation comes back, and needs what the app would close; a fork's parent comes to its end.
    const isForGood = message.thenExit || this.#branches === null;
    const hooks = isForGood ? this.#meeting.drain(message.timeoutMs) : undefined;
    void Promise.all([own, this.#branches?.drain(message), hooks]).then(([summary, others]) =>
      this.#drained(others === undefined ? summary : addSummaries(summary, others), message.thenExit),
    );
  }

  #drained(summary: DrainSummary, thenExit: boolean): void {
    if (thenExit) this.#requests.loseInFlight();
    this.#send({ type: 'drained', summary, report: this.#report() });
    if (thenExit) return endProcess(this.#ipc.deliver, () => this.#listeners?.letGo());
    this.#requests.onResponse = null;
    this.#phase = 'booting';
  }

  /** Every `1 / share`-th response asks its client to connect anew. */
  #renew(share: number): void {
    if (this.#phase === 'draining') return;
    let owed = 0;
    this.#requests.onResponse =
      share <= 0
        ? null
        : (response, connection) => {
            owed += share;
            if (owed < 1) return;
            owed -= 1;
            closeAfter(response, connection);
          };
  }

  #scheduleReports(everyMs: number): void {
    if (this.#reportTimer !== null) clearInterval(this.#reportTimer);
    this.#reportTimer = setInterval(() => this.#health.tick(() => this.#reportIfDue()), everyMs).unref();
  }

  #reportIfDue(): void {
    // Before anything else: also behind a daemon that is away, a file with room again is told what it misses.
    this.#output?.catchUp(false);
    // At most one is under way: behind a daemon that is away the counters grow, not a queue.
    if (this.#unacknowledged !== null) {
      this.#unanswered += 1;
      if (this.#unanswered === UNANSWERED_TO_DOUBT) this.#link.doubt();
      return;
    }
    const activity = this.#requests.activity + (this.#branches?.activity ?? 0);
    const isIdle = activity === this.#reportedActivity && this.#inFlight === 0;
    // Every outcome of a check counts, with or without requests.
    const isQuiet = isIdle && !this.#health.hasChecks;
    this.#runtime.begin();
    this.#runtime.tick(!isIdle);
    const hasLogNews = this.#dropNews.isNew(this.#drops);
    if (isQuiet && !hasLogNews && !this.#hasNews && ++this.#quietReports % QUIET_FACTOR !== 0) return;
    this.#reportedActivity = activity;
    this.#hasNews = false;
    const report = this.#report();
    if (!this.#send({ type: 'report', report, replyTo: null })) return;
    this.#unacknowledged = report.seq;
    this.#unanswered = 0;
  }

  /** At once, or with the next report where the one before has not been acknowledged. */
  #reportNews(): void {
    this.#hasNews = true;
    if (this.#unacknowledged === null) this.#reportIfDue();
  }

  #report(): AgentReport {
    let openConnections = this.#branches?.openConnections ?? 0;
    for (const server of this.#servers) openConnections += connectionsOf(server);
    const own = this.#requests.read();
    const log = this.#drops;
    return {
      seq: ++this.#seq,
      counters: this.#branches?.addTo(own) ?? own,
      runtime: this.#runtime.read({ openConnections, inFlight: this.#inFlight }),
      ...(log === undefined ? {} : { log }),
      ...this.#health.news(),
    };
  }

  get #drops(): LogDrops | undefined {
    return sumDrops([this.#output?.drops, this.#threads?.drops, this.#branches?.drops]);
  }

  get #inFlight(): number {
    return this.#requests.inFlight + (this.#branches?.inFlight ?? 0);
  }

  /** The app's own handler may have gone on after it. */
  get #exitReason(): string | null {
    if (this.#uncaught === null || process.uptime() - this.#uncaught.at > FATAL_WITHIN_S) return null;
    return this.#uncaught.reason;
  }

  #sayLastWord(code: number): void {
    if (this.#phase === 'draining') this.#requests.loseInFlight();
    this.#output?.catchUp(true);
    this.#send({ type: 'exit', code, reason: this.#exitReason, report: this.#report() });
  }
}

function connectionsOf(server: NetServer): number {
  return (server as NetServer & { readonly _connections?: number })._connections ?? 0;
}
