/** A complete configuration, as the CLI would send it. */
import { HEALTH_DEFAULTS } from '../../src/config/index.ts';
import type { AppConfig } from '../../src/protocol/index.ts';

export const appConfig = (name: string, changes: Partial<AppConfig> = {}): AppConfig => ({
  name,
  command: { kind: 'node', script: '/srv/server.js', node: null, nodeArgs: [], args: [] },
  cwd: '/srv',
  instances: 1,
  ports: [3000],
  env: {},
  binPaths: [],
  envFile: null,
  inheritEnv: false,
  callerEnv: {},
  dependsOn: [],
  ready: { timeoutMs: 30_000, stableForMs: 2_000, signal: 'auto' },
  restart: {
    policy: 'always',
    backoff: { initialMs: 200, factor: 2, maxMs: 30_000 },
    crashLoop: { restarts: 5, withinMs: 60_000 },
  },
  logs: { maxSizeBytes: 1024 ** 2, keep: 10, maxAgeMs: null, rotate: 'in-place' },
  drain: { timeoutMs: 30_000, idleGraceMs: 3_000, websocket: { code: 1012, spreadMs: 10_000 } },
  ...HEALTH_DEFAULTS,
  surge: 'auto',
  sticky: false,
  user: null,
  ...changes,
});
