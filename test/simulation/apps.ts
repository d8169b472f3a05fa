/** The apps of the simulated machine, as they are when they are added. */
import type { AppConfig } from '../../src/protocol/index.ts';
import type { AppState } from '../../src/supervisor/index.ts';
import { appConfig } from '../support/app-config.ts';

export const APPS = ['shop', 'mail'] as const;

export const configOf = (name: string): AppConfig =>
  appConfig(name, {
    instances: 2,
    ports: [],
    ready: { timeoutMs: 5000, stableForMs: 500, signal: 'auto' },
    restart: {
      policy: 'always',
      backoff: { initialMs: 200, factor: 2, maxMs: 10_000 },
      crashLoop: { restarts: 5, withinMs: 60_000 },
    },
    drain: { timeoutMs: 3000, idleGraceMs: 100, websocket: { code: 1012, spreadMs: 100 } },
    surge: 1,
  });

export const newApp = (name: string): AppState => ({
  config: configOf(name),
  release: 1,
  instances: 2,
  wanted: 'stopped',
  stoppedSlots: [],
  readySignalSeen: false,
});
