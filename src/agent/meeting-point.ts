/**
 * The agent's half of the place where it and the library that apps import meet (`protocol/app-meeting.ts`). It is there
 * before any code of the app, and costs one object; what the app's libraries are asked for may throw or never end, and
 * neither costs more than the answer.
 */
import {
  MEETING_NAME,
  type AgentSide,
  type AppCheck,
  type AppMetric,
  type AppSide,
  type DegradeLevel,
  type Meeting,
  type TraceContext,
} from '../protocol/agent.ts';

/** As many as a daemon takes of one worker (`supervisor/agent-schema.ts`). */
const MAX_CHECKS = 256;
const MAX_WORD_LENGTH = 1000;
/** All checks of a worker fit into one report, of which a daemon takes 1 MiB: three bytes a character at most. */
const MAX_CHECK_NAME_LENGTH = 200;
const MAX_CHECK_ERROR_LENGTH = 500;

/** What the agent does when the app says something. */
export interface MeetingHost {
  readonly onReady: () => void;
  readonly onExpectReady: () => void;
  readonly onHurry: () => void;
}

export interface Recovery {
  readonly outcome: 'recovered' | 'failed' | 'no-hook';
  readonly detail: string | null;
}

export class MeetingPoint {
  readonly #sides = new Set<AppSide>();
  #host: MeetingHost | null = null;
  #isReady = false;
  #level: DegradeLevel = 'normal';
  #reason: string | null = null;
  /** The app has announced that it will say when it is ready. */
  expectsReady = false;
  /** Of the code that runs now; replaced while requests are traced. */
  trace: () => TraceContext | null = () => null;

  constructor({ app, worker }: { readonly app: string; readonly worker: string }) {
    const agent: AgentSide = {
      app,
      worker,
      ready: () => {
        this.#isReady = true;
        this.#host?.onReady();
      },
      expectReady: () => {
        if (this.expectsReady) return;
        this.expectsReady = true;
        this.#host?.onExpectReady();
      },
      hurry: () => this.#host?.onHurry(),
      degradeLevel: () => this.#level,
      trace: () => this.trace(),
    };
    const meeting: Meeting = { agent, join: (side) => this.#join(side) };
    // An earlier one would be of a second agent in one process, which does not happen.
    Object.defineProperty(globalThis, Symbol.for(MEETING_NAME), { value: meeting, configurable: true });
  }

  /** The process turns out to be a worker: what the app has said meanwhile is passed on. */
  attach(host: MeetingHost): void {
    this.#host = host;
    if (this.#isReady) host.onReady();
  }

  get canRecover(): boolean | undefined {
    const answers = this.#ask((side) => side.hasRecoverHook?.());
    return answers.length === 0 ? undefined : answers.includes(true);
  }

  /** Undefined where the app has registered none. */
  get checks(): readonly AppCheck[] | undefined {
    const all = this.#ask((side) => side.checks?.()).flat();
    const tidied = all.slice(0, MAX_CHECKS).flatMap((check) => attempt(() => tidy(check)) ?? []);
    return tidied.length === 0 ? undefined : tidied;
  }

  degrade(level: DegradeLevel, reason: string | null): void {
    if (level === this.#level && reason === this.#reason) return;
    this.#level = level;
    this.#reason = reason;
    this.#ask((side) => side.onDegrade?.(level, reason));
  }

  /** Runs the recover hooks of all sides; there is no bound on how long an app may take for that. */
  async recover(reason: string): Promise<Recovery> {
    try {
      const runs = [...this.#sides].map(async (side) => (await side.recover?.(reason)) ?? false);
      const outcomes = await Promise.all(runs);
      return { outcome: outcomes.includes(true) ? 'recovered' : 'no-hook', detail: null };
    } catch (error) {
      return { outcome: 'failed', detail: attempt(() => wordOf(error)) ?? 'an error without words' };
    }
  }

  /** Resolves when the app has ended what it does on a drain, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const runs = this.#ask((side) => side.onDrain?.());
    if (runs.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([Promise.allSettled(runs), deadline]);
    clearTimeout(timer);
  }

  /** Of the libraries' own registries; one that fails has none. */
  async metrics(): Promise<readonly AppMetric[]> {
    const settled = await Promise.allSettled(this.#ask((side) => side.metrics?.()));
    return settled.flatMap((one) => (one.status === 'fulfilled' && Array.isArray(one.value) ? one.value : []));
  }

  #join(side: AppSide): () => void {
    this.#sides.add(side);
    // It has missed what was said before it was loaded.
    if (this.#level !== 'normal') attempt(() => side.onDegrade?.(this.#level, this.#reason));
    return () => void this.#sides.delete(side);
  }

  /** What each side answers; those that have no answer, or throw, are left out. */
  #ask<Answer>(question: (side: AppSide) => Answer | undefined): Answer[] {
    const answers: Answer[] = [];
    for (const side of this.#sides) {
      const answer = attempt(() => question(side));
      if (answer !== undefined) answers.push(answer);
    }
    return answers;
  }
}

function attempt<Answer>(ask: () => Answer): Answer | undefined {
  try {
    return ask();
  } catch {
    // Code of the app's side must never end the app from in here.
    return undefined;
  }
}

/** As a daemon takes it: one word too long, or of another type, would lose the whole report. */
function tidy(check: AppCheck): AppCheck {
  const { name, status, durationMs, ageMs, intervalMs, error } = check;
  // It was said by a library of whatever version.
  const critical: unknown = check.critical;
  return {
    name: wordOf(name).slice(0, MAX_CHECK_NAME_LENGTH),
    status: status === 'pass' || status === 'fail' ? status : 'unknown',
    critical: critical === true,
    durationMs: atLeastZero(durationMs),
    ageMs: atLeastZero(ageMs),
    ...(intervalMs === undefined ? {} : { intervalMs: atLeastZero(intervalMs) }),
    ...(error === undefined ? {} : { error: wordOf(error).slice(0, MAX_CHECK_ERROR_LENGTH) }),
  };
}

/** What JSON writes as six characters becomes one. */
const wordOf = (value: unknown): string =>
  String(value)
    .slice(0, MAX_WORD_LENGTH)
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');

const atLeastZero = (value: number): number => (value > 0 && value < Number.MAX_SAFE_INTEGER ? value : 0);
