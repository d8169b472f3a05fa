/** The four apps of the campaign, and a fifth without a load, which may be stopped. */
import { join } from 'node:path';
import { ENVELOPE_CMD } from '../../../src/protocol/index.ts';
import type { Settings } from '../../support/service.ts';
import type { AppFacts } from './app-under-load.ts';

const script = (name: string): string => join(import.meta.dirname, 'apps', `${name}.mjs`);

/** Steady and light: together some 150 requests a second. */
export const LOADED: readonly Omit<AppFacts, 'port'>[] = [
  {
    name: 'http',
    script: script('http'),
    instances: 2,
    loads: [
      { mode: 'kept', path: '/slow', connections: 4, pauseMs: [60, 140] },
      { mode: 'new', path: '/slow', connections: 2, pauseMs: [60, 140] },
    ],
  },
  {
    name: 'express',
    script: script('express'),
    instances: 2,
    loads: [
      { mode: 'kept', path: '/slow', connections: 3, pauseMs: [60, 140] },
      { mode: 'new', path: '/', connections: 2, pauseMs: [60, 140] },
    ],
  },
  {
    name: 'socket',
    script: script('socket'),
    instances: 2,
    loads: [{ mode: 'websocket', connections: 6, pauseMs: [150, 250] }],
  },
  {
    name: 'http2',
    script: script('http2'),
    instances: 2,
    loads: [{ mode: 'http2', path: '/slow', connections: 8, pauseMs: [150, 250] }],
  },
];

export const SPARE: Omit<AppFacts, 'port'> = { name: 'spare', script: script('http'), instances: 2, loads: [] };

export const READY_TIMEOUT_MS = 5000;
export const DRAIN_TIMEOUT_MS = 4000;

/** Short waits, so that many faults find room; no crash loops, because slots are hit again and again. */
export const settingsOf = (facts: AppFacts, env: Readonly<Record<string, string>>): Settings => ({
  script: facts.script,
  port: facts.port,
  instances: facts.instances,
  nodeArgs: ['--max-old-space-size=64'],
  env: { APP_PORT: String(facts.port), ENVELOPE: ENVELOPE_CMD, ...env },
  ready: { timeout: READY_TIMEOUT_MS, stableFor: 100 },
  drain: { timeout: DRAIN_TIMEOUT_MS, idleGrace: 1000, websocket: { spread: 200 } },
  restart: { backoff: { initial: 100, max: 1000 }, crashLoop: { restarts: 1000, within: 60_000 } },
});
