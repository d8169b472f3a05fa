/**
 * A CPU profile of this process at a low rate, always under way: whoever wants to know what happened a moment ago takes
 * it. It is begun anew now and then, so that it stays small. It stands back wherever somebody else may want the inspector:
 * a person's debugger, `--inspect`, `--cpu-prof` and their like, and where the permission model forbids it. The session is of this
 * process with itself, which Node does not wait for at its end.
 */
import type * as Inspector from 'node:inspector';
import type { CpuProfile } from './cpu-profile.ts';
import { mayUseInspector } from './inspector-access.ts';

/** Between two samples. Ten of the shortest block that is noticed by default; a sample costs some 30 µs. */
export const SAMPLE_US = 50_000;
/** Six thousand samples, which take less than a megabyte. */
const ANEW_AFTER_MS = 300_000;

export class RollingProfile {
  #session: Inspector.Session | null = null;
  #inspector: typeof Inspector | null = null;
  #anew: NodeJS.Timeout | null = null;

  /** Whether it is running now. */
  get isOn(): boolean {
    return this.#session !== null;
  }

  /** Begins; does nothing where somebody else may want the profiler. */
  start(): void {
    if (this.#session !== null || !mayUseInspector()) return;
    try {
      this.#inspector = require('node:inspector') as typeof Inspector;
      if (this.#inspector.url() !== undefined) return;
      const session = new this.#inspector.Session();
      session.connect();
      this.#session = session;
      this.#post('Profiler.enable');
      this.#post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
      this.#post('Profiler.start');
      this.#anew = setInterval(() => this.take(), ANEW_AFTER_MS).unref();
    } catch {
      // A Node without an inspector, or one that may not use it.
      this.stop();
    }
  }

  stop(): void {
    if (this.#anew !== null) clearInterval(this.#anew);
    this.#anew = null;
    this.#session?.disconnect();
    this.#session = null;
  }

  /** What was sampled since it began, a few minutes ago at most; it begins anew. Null while it is off. */
  take(): CpuProfile | null {
    if (this.#session === null) return null;
    try {
      const answer = this.#post('Profiler.stop') as { readonly profile: CpuProfile };
      // Somebody has opened a debugger since.
      if (this.#inspector?.url() === undefined) this.#post('Profiler.start');
      else this.stop();
      return answer.profile;
    } catch {
      this.stop();
      return null;
    }
  }

  /** Within a process answers come before `post` returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: { readonly error: Error | null; readonly result?: unknown } | null = null;
    this.#session?.post(method, parameters, (error, result) => (answer = { error, result }));
    const { error, result } = answer ?? { error: new Error(`no answer to ${method}`), result: undefined };
    if (error !== null) throw error;
    return result;
  }
}
