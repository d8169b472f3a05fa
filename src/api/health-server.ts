/**
 * `daemon.health`: bare health and metrics over plain HTTP, for load balancers, Kubernetes and Prometheus. Read-only, no
 * names of checks, no reasons: whoever can reach the port learns whether something is well, and nothing else. The answer is
 * the daemon's, so it is true while a worker's event loop is blocked.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AppHealthDocument, HealthDocument, HealthStatus, WorkerHealthDocument } from '../protocol/index.ts';
import { createServer } from './http.ts';
import { METRICS_SCOPES, type MetricsRequest } from './service.ts';

export interface HealthSource {
  health(): HealthDocument;
  /** The text, and its media type for what the scraper accepts; null: there is no such app. */
  metrics(request: MetricsRequest): Promise<{ readonly type: string; readonly text: string } | null>;
}

const PLAIN = 'text/plain; charset=utf-8';

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const HEALTH_TYPE = 'application/health+json';
/** Of the draft for `application/health+json` (draft-inadarei-api-health-check-06, 3.1). */
const WORD: Readonly<Record<HealthStatus, 'pass' | 'warn' | 'fail'>> = {
  healthy: 'pass',
  degraded: 'warn',
  critical: 'fail',
};
const MOST_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 10_000;

/** Rejects with the system's error where the port cannot be had. */
export const serveHealth = async (
  { host, port }: { readonly host: string; readonly port: number },
  source: HealthSource,
): Promise<HealthServer> => {
  const server = createServer((request, response) => void answer(request, response, source));
  server.maxConnections = MOST_CONNECTIONS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      // A connection that could not be taken (no descriptor left) is no reason to end.
      server.on('error', () => undefined);
      resolve();
    });
  });

const answer = async (request: IncomingMessage, response: ServerResponse, source: HealthSource): Promise<void> => {
  response.setHeader('Cache-Control', 'no-store');
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return send(response, 405, PLAIN, 'read-only\n');
    }
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    if (path === '/metrics') {
      const asked = new URLSearchParams(query);
      const scope = METRICS_SCOPES.find((each) => each === (asked.get('scope') ?? 'mixed'));
      if (scope === undefined) return send(response, 400, PLAIN, `scope must be ${METRICS_SCOPES.join(', ')}\n`);
      const page = await source.metrics({ accept: request.headers.accept ?? null, scope, app: asked.get('app') });
      if (page === null) return send(response, 404, PLAIN, 'there is no such app\n');
      return send(response, 200, page.type, page.text);
    }
    const status = statusAt(path, source.health());
    if (status === null) return send(response, 404, PLAIN, 'nothing here\n');
    return send(response, status === 'critical' ? 503 : 200, HEALTH_TYPE, `{"status":"${WORD[status]}"}\n`);
  } catch {
    // It must answer whatever is asked; what went wrong is found in the daemon's own log.
    send(response, 500, PLAIN, 'the daemon could not tell\n');
  }
};

const send = (response: ServerResponse, code: number, type: string, text: string): void => {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  // Node leaves the body out where the request was HEAD.
  response.end(text);
};

const OF_HOST: Readonly<Record<string, (health: HealthDocument) => HealthStatus>> = {
  '/health': ({ status }) => status,
  '/healthz': ({ status }) => status,
  '/health/ready': ({ status }) => status,
  '/readyz': ({ status }) => status,
  // Who answers is alive.
  '/health/live': () => 'healthy',
  '/livez': () => 'healthy',
};

/** `/health`, `/health/<app>`, `/health/<app>/<slot>`, each also with `/live` and `/ready` behind it; null: no such place. */
const statusAt = (path: string, health: HealthDocument): HealthStatus | null => {
  const ofHost = OF_HOST[path];
  if (ofHost !== undefined) return ofHost(health);
  const found = /^\/health\/([^/]+)(?:\/(\d+))?(?:\/(live|ready))?$/.exec(path);
  if (found === null) return null;
  const [, name, slot, kind] = found;
  const app = health.apps.find((each) => each.name === name);
  if (app === undefined) return null;
  if (slot === undefined) return kind === 'live' ? liveOf(app) : kind === 'ready' ? readyOf(app) : app.status;
  const worker = app.workers.find(({ id }) => id === `${name}/${slot}`);
  if (worker === undefined) return null;
  if (kind === 'live') return isAlive(worker) ? 'healthy' : 'critical';
  if (kind !== 'ready') return worker.status;
  // A worker off rotation takes nothing: a load balancer in front should not send it anything. What has no agent has no share.
  const isOff = worker.weight === 0 && app.workers.some(({ weight }) => weight > 0);
  return isOff || !worker.isRunning ? 'critical' : worker.status;
};

/** Whatever is wanted of it: where no worker is ready nobody is served. */
const readyOf = ({ status, workers }: AppHealthDocument): HealthStatus =>
  workers.some(({ isRunning }) => isRunning) ? status : 'critical';

/** Alive while one of its workers is: a container must not be ended for one that is being replaced. */
const liveOf = ({ workers }: AppHealthDocument): HealthStatus =>
  workers.length === 0 || workers.some(isAlive) ? 'healthy' : 'critical';

const isAlive = ({ eventLoop, checks, isRunning }: WorkerHealthDocument): boolean =>
  isRunning && !eventLoop.isBlocked && !checks.some(({ name, status }) => name === 'liveness' && status === 'fail');
