/**
 * The probes of one worker: runs what their machines (`core/probe.ts`) ask for, and opens the gate of the others when the
 * startup probe has passed. Decides nothing itself.
 */
import { newProbe, spreadOf, stepProbe, type ProbeEffect, type ProbeEvent, type ProbeVerdict } from '../core/index.ts';
import type { ProbeConfig, ProbeKind } from '../protocol/index.ts';
import { failed, missing } from './answers.ts';
import { beginAttempt, type AttemptEdges } from './attempt.ts';
import { inProcessCheck } from './checks/in-process.ts';
import type { CallOff, CheckAnswer, ProbeChecks, ProbeListener, ProbeResult, WatchedWorker } from './edges.ts';
import type { Lanes } from './lanes.ts';
import { otherPlaceOf, placeOf } from './place.ts';

const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

export interface WorkerProbesEdges extends AttemptEdges {
  readonly checks: ProbeChecks;
  readonly sockets: Lanes;
  readonly commands: Lanes;
  /** Whether this process did not run for a while: every machine hears of that before it hears of anything else. */
  readonly lookForStall: () => void;
}

interface OneProbe {
  readonly kind: ProbeKind;
  readonly config: ProbeConfig;
  readonly spread: number;
  state: ReturnType<typeof newProbe>;
  last: ProbeResult | null;
  callOffTimer: CallOff;
  callOffAttempt: CallOff;
}

const nothing = (): void => {};

export class WorkerProbes {
  readonly #worker: WatchedWorker;
  readonly #listener: ProbeListener;
  readonly #edges: WorkerProbesEdges;
  readonly #probes: readonly OneProbe[];
  readonly #app: string;
  #isClosed = false;

  constructor(worker: WatchedWorker, listener: ProbeListener, edges: WorkerProbesEdges) {
    this.#worker = worker;
    this.#listener = listener;
    this.#edges = edges;
    const slash = worker.id.lastIndexOf('/');
    this.#app = worker.id.slice(0, slash);
    const slot = Number(worker.id.slice(slash + 1));
    this.#probes = KINDS.flatMap((kind): OneProbe[] => {
      const config = worker.probes[kind];
      if (config === undefined) return [];
      const spread = spreadOf(`${this.#app} ${kind}`, slot);
      const idle = { callOffTimer: nothing, callOffAttempt: nothing };
      return [{ kind, config, spread, state: newProbe(), last: null, ...idle }];
    });
  }

  begin(): void {
    const { generation, startedAt, known = {}, probes } = this.#worker;
    const at = this.#edges.clock.monotonicMs();
    const isGated = probes.startup !== undefined && known.startup !== 'passed';
    for (const probe of this.#probes) {
      this.#step(probe, {
        type: 'begin',
        at,
        generation,
        startedAt,
        isGated: isGated && probe.kind !== 'startup',
        known: known[probe.kind] ?? 'unknown',
      });
    }
  }

  /** `unknown` also where the worker has no such probe. */
  verdict(kind: ProbeKind): ProbeVerdict {
    return this.#find(kind)?.state.verdict ?? 'unknown';
  }

  /** Of the last attempt that ended; null before the first. */
  last(kind: ProbeKind): ProbeResult | null {
    return this.#find(kind)?.last ?? null;
  }

  stalled(at: number): void {
    for (const probe of this.#probes) this.#step(probe, { type: 'stalled', at });
  }

  close(): void {
    const at = this.#edges.clock.monotonicMs();
    for (const probe of this.#probes) this.#step(probe, { type: 'close', at, generation: probe.state.generation });
    this.#isClosed = true;
  }

  #find(kind: ProbeKind): OneProbe | undefined {
    return this.#probes.find((probe) => probe.kind === kind);
  }

  #step(probe: OneProbe, event: ProbeEvent): void {
    if (this.#isClosed) return;
    const { kind, config, spread } = probe;
    const { state, effects } = stepProbe(probe.state, event, { ...config, kind, spread });
    probe.state = state;
    for (const effect of effects) this.#run(probe, effect);
  }

  #run(probe: OneProbe, effect: ProbeEffect): void {
    // Whoever was told of a change may have closed us.
    if (this.#isClosed) return;
    switch (effect.type) {
      case 'arm': {
        const { afterMs, generation, attempt } = effect;
        probe.callOffTimer();
        probe.callOffTimer = this.#edges.schedule.background(afterMs, () => {
          this.#edges.lookForStall();
          this.#step(probe, { type: 'timer', at: this.#edges.clock.monotonicMs(), generation, attempt });
        });
        return;
      }
      case 'disarm':
        return probe.callOffTimer();
      case 'ask':
        return this.#ask(probe, effect);
      case 'call-off':
        return probe.callOffAttempt();
      case 'changed':
        return this.#changed(probe, effect);
      case 'report':
        return this.#edges.onDefect(effect.reason);
    }
  }

  #ask(probe: OneProbe, { generation, attempt }: Extract<ProbeEffect, { type: 'ask' }>): void {
    const { kind, config } = probe;
    const { sockets, commands } = this.#edges;
    probe.callOffAttempt = beginAttempt(this.#edges, {
      lanes: config.target.kind === 'exec' ? commands : sockets,
      owner: this.#app,
      timeoutMs: config.timeoutMs,
      check: (signal) => this.#check(config, signal),
      onEnd: (result) => {
        probe.last = result;
        this.#tell(() => this.#listener.onResult(kind, result));
        const { at, outcome, error, warning } = result;
        this.#step(probe, { type: 'result', at, generation, attempt, outcome, detail: error ?? warning });
      },
    });
  }

  async #check(config: ProbeConfig, signal: AbortSignal): Promise<CheckAnswer> {
    const { target } = config;
    const worker = this.#worker;
    const { checks, clock } = this.#edges;
    if (target.kind === 'in-process') return inProcessCheck(worker.lastReport(), clock.monotonicMs(), config);
    if (target.kind === 'exec') {
      const { argv } = target;
      let surroundings;
      try {
        surroundings = worker.surroundings();
      } catch (error) {
        return missing(`the command could not be started: ${error instanceof Error ? error.message : String(error)}`);
      }
      return checks.exec({ argv, surroundings }, signal);
    }
    const place = placeOf(target, worker);
    if (place === null) return failed('it does not listen');
    if (target.kind === 'tcp') return checks.tcp(place, signal);
    return checks.http({ target, place, otherPlace: (port) => otherPlaceOf(target, worker, port) }, signal);
  }

  #changed({ kind }: OneProbe, { verdict, detail }: Extract<ProbeEffect, { type: 'changed' }>): void {
    this.#tell(() => this.#listener.onChange(kind, verdict, detail));
    if (kind !== 'startup' || verdict !== 'passed') return;
    const at = this.#edges.clock.monotonicMs();
    for (const other of this.#probes) {
      this.#step(other, { type: 'started', at, generation: other.state.generation });
    }
  }

  /** A listener that fails must not end the loop. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#edges.onDefect(`who listens to probes threw: ${String(error)}`);
    }
  }
}
