/**
 * A process with what a daemon has loaded and the room of probes, which asks fifty workers; prints what that takes.
 *
 *     node --expose-gc room.ts <none|http|https|fetch|tcp|exec> <socket or port> <seconds after the warm-up>
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passed, failed } from '../../../src/probes/answers.ts';
import { openProbes, systemChecks, type ProbeChecks } from '../../../src/probes/index.ts';
import { giveBackFreeMemory, mapLargeBlocks } from '../../../src/os/index.ts';
import type { Clock, ProbeTarget } from '../../../src/protocol/index.ts';
import { systemSchedule } from '../../../src/supervisor/index.ts';

// The rest of what is in every daemon and would otherwise be the probes' to load.
await Promise.all([
  import('../../../src/api/index.ts'),
  import('../../../src/net/index.ts'),
  import('../../../src/store/index.ts'),
]);

const WORKERS = 50;
/** Ten times as often as by default, so that a short measurement has as many attempts as a long one. */
const PERIOD_MS = 1000;
/** Until everything is loaded, and compiled as far as it will be. */
const WARM_UP_MS = 3000;

const [kind = 'none', where = '', seconds = '5'] = process.argv.slice(2);
const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

const target = (): ProbeTarget | null => {
  if (kind === 'tcp') return { kind: 'tcp', port: null, host: null };
  if (kind === 'exec') return { kind: 'exec', argv: ['true'] };
  if (kind === 'none') return null;
  const scheme = kind === 'https' ? 'https' : 'http';
  return { kind: 'http', path: '/health', port: null, host: null, headers: {}, scheme };
};

/** The same question by the client that Node has built in, undici. It knows no Unix sockets without its package. */
const fetchChecks: ProbeChecks = {
  ...systemChecks,
  http: async (_question, signal) => {
    const response = await fetch(`http://127.0.0.1:${where}/health`, { signal, headers: { connection: 'close' } });
    await response.text();
    return response.ok ? passed() : failed(`it answered ${response.status}`);
  },
};

mapLargeBlocks();
const server = process.getBuiltinModule('http').createServer((_request, response) => void response.end());
server.listen(join(tmpdir(), `probe-cost-${process.pid}`));

let attempts = 0;
let failures = 0;
const probes = openProbes({
  clock,
  schedule: systemSchedule,
  checks: kind === 'fetch' ? fetchChecks : systemChecks,
  onDefect: (reason) => process.stderr.write(`${reason}\n`),
});
const asked = target();
for (let slot = 0; slot < WORKERS; slot++) {
  probes.watch(
    {
      id: `shop/${slot}`,
      generation: 1,
      probes:
        asked === null
          ? {}
          : {
              readiness: {
                target: asked,
                initialDelayMs: 0,
                periodMs: PERIOD_MS,
                timeoutMs: 1000,
                successThreshold: 1,
                failureThreshold: 3,
              },
            },
      startedAt: clock.monotonicMs(),
      privateSocket: () => (kind === 'fetch' ? null : where),
      address: () => ({ kind: 'tcp', host: '::', port: 3000, v6only: false }),
      surroundings: () => ({ cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, uid: null, gid: null }),
      lastReport: () => null,
    },
    {
      onChange: () => undefined,
      onResult: (_kind, { outcome }) => {
        attempts += 1;
        if (outcome !== 'pass') failures += 1;
      },
    },
  );
}

let begin = process.cpuUsage();
setTimeout(() => {
  begin = process.cpuUsage();
  attempts = 0;
}, WARM_UP_MS);

setTimeout(
  () => {
    const { user, system } = process.cpuUsage(begin);
    probes.close();
    globalThis.gc?.();
    giveBackFreeMemory();
    const result = {
      attempts,
      failures,
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exit(0);
  },
  WARM_UP_MS + Number(seconds) * 1000,
);
