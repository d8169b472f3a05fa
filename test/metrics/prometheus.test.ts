/** Debian's Prometheus scrapes what Drover shows, in either format, and answers PromQL over it. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Exposition, METRICS_SCOPES, type MetricsScope, type WorkerReading } from '../../src/metrics/index.ts';
import { isInPath } from '../provisions.ts';
import { eventually } from '../support/eventually.ts';
import { freePort, temporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { app, collected, counter, histogram, report, worker } from './readings.ts';

const skip = isInPath('prometheus') ? false : 'prometheus is not installed';

interface Answer {
  readonly status: string;
  readonly data: {
    readonly result: { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
  };
}
interface Targets {
  readonly data: {
    readonly activeTargets: {
      readonly labels: { readonly job: string };
      readonly health: string;
      readonly lastError: string;
    }[];
  };
}

describe('Prometheus', { skip, concurrency: false }, () => {
  let folder: TemporaryFolder;
  let server: Server;
  let prometheus: ChildProcess;
  let base: string;
  let output = '';
  let workers: readonly WorkerReading[];
  const formats = new Set<string>();

  const ask = async (query: string): Promise<Answer['data']['result']> => {
    const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(query)}`);
    const answer = (await response.json()) as Answer;
    assert.equal(answer.status, 'success', JSON.stringify(answer));
    return answer.data.result;
  };
  const number = async (query: string): Promise<number | null> => {
    const [first] = await ask(query);
    return first === undefined ? null : Number(first.value[1]);
  };
  const settles = async (query: string, expected: number): Promise<void> => {
    await eventually(`${query} is ${expected}`, async () => {
      const value = await number(query);
      if (value === expected) return true;
      throw new Error(`it is ${value}`);
    });
  };

  const own = (orders: number) => [
    counter('orders_total', orders, { kind: 'book "é"\n\\' }),
    histogram('work_seconds', [0.1, 1], [1, 2, 3], 4.5),
    { ...counter('odd_total', 1, { kind: 'zero\0byte \uD800 \r' }), help: 'zero\0byte' },
  ];

  before(async () => {
    folder = await temporaryFolder('prometheus');
    workers = [0, 1].map((slot) => worker(slot, { pid: process.pid, collected: collected(own(10 + slot)) }));
    const exposition = new Exposition();
    server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const scope =
        METRICS_SCOPES.find((name) => name === url.searchParams.get('scope')) ?? ('mixed' satisfies MetricsScope);
      const { contentType, body } = exposition.write(
        { apps: [app(workers)], daemon: { version: '0.1.0', startedAtSeconds: 1, rssBytes: 2, cpuSeconds: 3 } },
        { accept: request.headers.accept ?? null, scope, app: url.searchParams.get('app') },
        performance.now(),
      );
      formats.add(contentType.split(';')[0] ?? '');
      response.writeHead(200, { 'content-type': contentType }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const job = (name: string, params: string): string =>
      `  - { job_name: ${name}, params: ${params}, static_configs: [{ targets: ['${target}'] }] }`;
    const config = join(folder.path, 'prometheus.yml');
    writeFileSync(
      config,
      [
        'global: { scrape_interval: 200ms, scrape_timeout: 200ms }',
        'scrape_configs:',
        job('workers', '{}'),
        job('apps', '{ scope: [app] }'),
        job('each', '{ scope: [worker] }'),
        job('shop', '{ app: [shop], scope: [app] }'),
      ].join('\n'),
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    prometheus.stderr?.on('data', (text: Buffer) => (output += text.toString()));
    await eventually('prometheus is ready', async () => (await fetch(`${base}/-/ready`)).ok, { withinMs: 30_000 });
  });

  after(async () => {
    if (prometheus.exitCode === null) {
      prometheus.kill();
      await once(prometheus, 'exit');
    }
    server.closeAllConnections();
    server.close();
    await folder[Symbol.asyncDispose]();
  });

  it('scrapes every page without a complaint, as OpenMetrics', async () => {
    await eventually('all targets are up', async () => {
      const { data } = (await (await fetch(`${base}/api/v1/targets`)).json()) as Targets;
      const states = data.activeTargets.map(({ health, lastError }) => `${health} ${lastError}`);
      if (states.length === 4 && states.every((state) => state === 'up ')) return true;
      throw new Error(states.join());
    });
    assert.deepEqual([...formats], ['application/openmetrics-text']);
    // Duplicates and samples out of order would be warned of.
    assert.equal(output, '');
  });

  it('has each worker, or each app, and nothing twice on one page', async () => {
    await settles('count(process_resident_memory_bytes{job="workers",app="shop"})', 2);
    await settles('sum(process_resident_memory_bytes{job="workers"})', 128_000_000);
    await settles('sum(process_resident_memory_bytes{job="apps"})', 128_000_000);
    await settles('count(process_resident_memory_bytes{job="apps"})', 1);
    await settles('sum(drover_requests_served_total{job="workers"})', 20);
    await settles('sum(drover_requests_served_total{job="apps"})', 20);
  });

  it("has the app's own metrics under their names and labels, added up or for each worker", async () => {
    await settles('orders_total{job="workers",app="shop"}', 21);
    await settles('sum(orders_total{job="each"})', 21);
    await settles('count(orders_total{job="each"})', 2);
    const [alone] = await ask('orders_total{job="shop"}');
    assert.deepEqual(Object.keys(alone?.metric ?? {}).sort(), ['__name__', 'instance', 'job', 'kind']);
    assert.equal(alone?.metric['kind'], 'book "é"\n\\');
    await settles('work_seconds_bucket{job="shop",le="1"}', 6);
    await settles('work_seconds_count{job="shop"}', 12);
    await settles('odd_total{job="shop"}', 2);
  });

  it('answers quantiles of routes', async () => {
    // Of 18 requests to /users/:id all took 1 to 1.1 ms, which is the bucket up to 5 ms.
    const p99 = await number(
      'histogram_quantile(0.99, sum by (http_route, le) (http_server_request_duration_seconds_bucket{job="workers",http_route="/users/:id"}))',
    );
    assert.ok(p99 !== null && p99 > 0 && p99 <= 0.005, `${p99}`);
    await settles('sum(drover_route_responses_total{job="workers",http_response_status_code=~"5.."})', 4);
  });

  it('sees no reset where a worker is replaced', async () => {
    await settles('drover_requests_served_total{job="apps"}', 20);
    const fresh = report();
    workers = [
      workers[0] ?? worker(0),
      worker(1, {
        spawn: 'spawn-1-again',
        report: { ...fresh, counters: { ...fresh.counters, served: 1 } },
        collected: collected(own(5)),
      }),
    ];
    // 10 of the first, 10 of the one that ended, 1 of the new one.
    await settles('drover_requests_served_total{job="apps"}', 21);
    await settles('orders_total{job="shop"}', 26);
    assert.equal(await number('resets(drover_requests_served_total{job="apps"}[5m])'), 0);
    assert.equal(await number('resets(orders_total{job="shop"}[5m])'), 0);
    // The page of workers does show it, as it is: the counter of that slot began anew.
    await settles('resets(drover_requests_served_total{job="workers",worker="shop/1"}[5m])', 1);
  });
});
