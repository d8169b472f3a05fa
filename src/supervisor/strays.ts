/**
 * Workers that run and are in no record: the state fell back to an older one, the disk was full when they were started,
 * or the daemon died between the fork and the record. Each process carries its record in the environment that it was
 * started with, so it can be adopted like any other. Looked for once, when a daemon begins.
 */
import { uptime } from 'node:os';
import { listPids, readStat, readUsers, readVariable } from '../os/index.ts';
import type { WorkerRecord } from '../protocol/index.ts';
import type { App } from './app.ts';
import { readBoot } from './read-boot.ts';

export interface Stray {
  readonly record: WorkerRecord;
  /** Whom it runs as, in every respect. */
  readonly uid: number;
}

export interface StrayQuestion {
  /** Name the home: the sockets that its agents may have been told. */
  readonly socketPaths: readonly string[];
  /** Spawns that have a record. */
  readonly known: ReadonlySet<string>;
  readonly bootId: string;
  readonly wallMs: number;
}

const MS_PER_TICK = 10;

/** They say so themselves: {@link isOfApp} has to be asked before one is believed. */
export const findStrays = ({ socketPaths, known, bootId, wallMs }: StrayQuestion): readonly Stray[] => {
  const uptimeMs = uptime() * 1000;
  return listPids().flatMap((pid): Stray[] => {
    const boot = readBoot(pid);
    if (boot === null || !socketPaths.includes(boot.socketPath) || known.has(boot.spawn)) return [];
    const stat = readStat(pid);
    // A worker leads a session of its own; its children have the same environment and do not.
    if (stat === null || stat.state === 'Z' || stat.session !== pid) return [];
    const slot = numberOf(/^\/(\d+)$/.exec(boot.worker.slice(boot.app.length))?.[1]);
    const release = numberOf(readVariable(pid, 'DROVER_RELEASE') ?? '1');
    const [uid, ...others] = readUsers(pid) ?? [];
    // Somebody's program that has become another user on its way (`sudo`) has an environment of somebody's making.
    if (slot === null || release === null || uid === undefined || others.some((other) => other !== uid)) return [];
    const record: WorkerRecord = {
      app: boot.app,
      slot,
      generation: boot.generation,
      lane: 'stable',
      release,
      pid,
      startTicks: stat.startTicks,
      bootId,
      spawn: boot.spawn,
      startedAtMs: startOf({ wallMs, uptimeMs, ticks: stat.startTicks }),
      // Whether it is ready its agent will tell; beside one that is known to serve it is the one to go.
      phase: 'starting',
      restarts: 0,
      role: 'holder',
      order: null,
      exit: null,
    };
    return [{ record, uid }];
  });
};

/** Whether the app's workers run as the stray does. Who is that user, or the daemon's, could do all that a worker can. */
export const isOfApp = (app: App, { uid }: Pick<Stray, 'uid'>): boolean =>
  uid === process.geteuid?.() || uid === app.uidIfKnown;

const numberOf = (text: string | undefined): number | null => (/^\d{1,9}$/.test(text ?? '') ? Number(text) : null);

/** A whole number: records take no other. */
export const startOf = ({
  wallMs,
  uptimeMs,
  ticks,
}: Readonly<Record<'wallMs' | 'uptimeMs' | 'ticks', number>>): number =>
  Math.round(wallMs - uptimeMs + ticks * MS_PER_TICK);
