/**
 * What waits to be told to one receiver: one message at a time, those of one group in their order, so that an end never comes
 * before its beginning. A receiver that fails is left alone for a while, longer each time in a row, whatever waits: it is the
 * receiver that fails, and hundreds of attempts a second would hold up the daemon. Then what was tried least goes first, so that
 * one message that it cannot take holds up no other group. What waits is bounded: a message that was never sent becomes one with
 * the next of its group.
 *
 * An Alertmanager is told as well, again and again, all that fires: it takes an alert to be over of which it hears nothing.
 */
import type { AlertMessage, Clock, DeadLetterRecord, DeliveryRecord } from '../protocol/index.ts';
import type { Waits } from './edges.ts';
import type { Outcome } from './outcome.ts';
import type { NamedReceiver } from './receiver-id.ts';
import { mergeMessages } from './message.ts';
import { nextAttemptMs, type RetryPolicy } from './retry.ts';
import type { Send } from './send.ts';

/**
 * Messages that wait for one receiver, at most two of a group; with more, the oldest is given up. Each has about 64 KiB at
 * most, and mostly one or two.
 */
export const MOST_WAITING = 200;
/** Prometheus tells its Alertmanagers as often (`--rules.alert.resend-delay`, 1 min). */
export const REFRESH_MS = 60_000;

export interface QueueEdges {
  readonly clock: Clock;
  readonly schedule: Waits;
  readonly random: () => number;
  readonly send: Send;
  readonly retry: RetryPolicy;
  /** Of an Alertmanager. */
  readonly refreshMs: number;
  /** Writes down what waits now, and what was given up. */
  readonly record: (waiting: readonly DeliveryRecord[], dead: readonly DeadLetterRecord[]) => void;
  /** What fires and concerns the receiver. */
  readonly firing: () => readonly AlertMessage[];
}

/** How it goes with a receiver. */
export interface QueueStatus {
  readonly waiting: number;
  /** Wall clock; null: not since the daemon began. */
  readonly lastTakenAtMs: number | null;
  /** Null once it has taken something since. */
  readonly lastProblem: string | null;
}

export class ReceiverQueue {
  /** Set anew when its configuration changes; the id stays. */
  receiver: NamedReceiver;
  readonly #edges: QueueEdges;
  #waiting: DeliveryRecord[];
  /** By id: when its next attempt may be made, on the monotonic clock. */
  readonly #dueAt = new Map<string, number>();
  /** Pushed here as news and never sent; what an earlier daemon left may have been. */
  readonly #unsent = new Set<string>();
  #inFlight: AbortController | null = null;
  #sending: DeliveryRecord | null = null;
  #refreshAt: number;
  /** In a row, whatever the message. */
  #failures = 0;
  /** Nothing that waits is tried before; on the monotonic clock. */
  #pausedUntil = 0;
  #callOff: (() => void) | null = null;
  #isClosed = false;
  #lastTakenAtMs: number | null = null;
  #lastProblem: string | null = null;

  constructor(receiver: NamedReceiver, waiting: readonly DeliveryRecord[], edges: QueueEdges) {
    this.receiver = receiver;
    this.#edges = edges;
    this.#waiting = [...waiting];
    const { clock, retry } = edges;
    const now = clock.monotonicMs();
    for (const { id, nextAtMs } of waiting) {
      // The wall clock may have jumped since it was written down.
      this.#dueAt.set(id, now + Math.min(Math.max(0, nextAtMs - clock.wallMs()), retry.mostMs));
    }
    this.#refreshAt = receiver.config.target.kind === 'alertmanager' ? now : Infinity;
    this.#plan();
  }

  get status(): QueueStatus {
    return {
      waiting: this.#waiting.length,
      lastTakenAtMs: this.#lastTakenAtMs,
      lastProblem: this.#lastProblem,
    };
  }

  /** News, behind what waits already, or together with what was never sent of its group; nothing where its id waits. */
  push(message: AlertMessage, id: string): void {
    const last = this.#waiting.findLast(({ message: { groupKey } }) => groupKey === message.groupKey);
    if (last === undefined || !this.#unsent.has(last.id) || last.id === id) return this.#add(message, id, true);
    this.#remove(last);
    this.#add(mergeMessages(last.message, message), id, true);
  }

  /** What was given up before, under the id that it had. */
  pushAgain(message: AlertMessage, id: string): void {
    this.#add(message, id, false);
  }

  #add(message: AlertMessage, id: string, isNew: boolean): void {
    if (this.#isClosed || this.#waiting.some((each) => each.id === id)) return;
    if (isNew) this.#unsent.add(id);
    const { clock } = this.#edges;
    const nowMs = clock.wallMs();
    const place = (this.#waiting.at(-1)?.place ?? 0) + 1;
    this.#waiting.push({
      id,
      receiver: this.receiver.id,
      place,
      createdAtMs: nowMs,
      attempts: 0,
      nextAtMs: nowMs,
      error: null,
      message,
    });
    this.#dueAt.set(id, clock.monotonicMs());
    const dead: DeadLetterRecord[] = [];
    if (this.#waiting.length > MOST_WAITING) {
      const oldest = this.#waiting.find((each) => each !== this.#sending);
      if (oldest !== undefined) {
        this.#remove(oldest);
        dead.push({ ...oldest, error: oldest.error ?? 'too many others waited', deadAtMs: nowMs });
      }
    }
    this.#edges.record(this.#waiting, dead);
    this.#plan();
  }

  /** As if it had not been pushed: it could not be written. */
  withdraw(id: string): void {
    const delivery = this.#waiting.find((each) => each.id === id);
    if (delivery !== undefined) this.#remove(delivery);
    this.#plan();
  }

  /** What waits stays on record for the next daemon; what is being told is broken off, and told again by that. */
  close(): void {
    this.#isClosed = true;
    this.#callOff?.();
    this.#inFlight?.abort();
  }

  #remove(delivery: DeliveryRecord): void {
    this.#waiting = this.#waiting.filter(({ id }) => id !== delivery.id);
    this.#dueAt.delete(delivery.id);
    this.#unsent.delete(delivery.id);
  }

  /** The first of each group. */
  #heads(): DeliveryRecord[] {
    const groups = new Set<string>();
    return this.#waiting.filter(({ message: { groupKey } }) => {
      const isHead = !groups.has(groupKey);
      groups.add(groupKey);
      return isHead;
    });
  }

  readonly #due = ({ id }: DeliveryRecord): number => this.#dueAt.get(id) ?? 0;

  /** Never sends in the caller's turn: it may be in the middle of a write. */
  #plan(): void {
    this.#callOff?.();
    this.#callOff = null;
    if (this.#isClosed || this.#inFlight !== null) return;
    const next = Math.min(this.#refreshAt, Math.max(this.#pausedUntil, Math.min(...this.#heads().map(this.#due))));
    if (next === Infinity) return;
    const waitMs = Math.max(0, next - this.#edges.clock.monotonicMs());
    this.#callOff = this.#edges.schedule.background(waitMs, () => {
      this.#callOff = null;
      void this.#act();
    });
  }

  async #act(): Promise<void> {
    const now = this.#edges.clock.monotonicMs();
    const dues = now < this.#pausedUntil ? [] : this.#heads().filter((each) => this.#due(each) <= now);
    const least = Math.min(...dues.map(({ attempts }) => attempts));
    const due = dues.find(({ attempts }) => attempts === least);
    if (due !== undefined) await this.#deliver(due);
    else if (this.#refreshAt <= now) await this.#refresh(now);
    this.#plan();
  }

  async #deliver(delivery: DeliveryRecord): Promise<void> {
    const { clock, random, retry, record } = this.#edges;
    this.#sending = delivery;
    this.#unsent.delete(delivery.id);
    const outcome = await this.#send(delivery.id, delivery.message);
    this.#sending = null;
    if (outcome === null) return;
    this.#failures = outcome.kind === 'failed' ? this.#failures + 1 : 0;
    this.#pausedUntil = 0;
    if (outcome.kind === 'failed') {
      const pauseMs = nextAttemptMs(this.#failures, outcome.retryAfterMs, random(), { ...retry, attempts: Infinity });
      this.#pausedUntil = clock.monotonicMs() + (pauseMs ?? 0);
    }
    if (outcome.kind === 'taken') {
      this.#remove(delivery);
      return record(this.#waiting, []);
    }
    const attempts = delivery.attempts + 1;
    const error = inWords(outcome);
    const waitMs = outcome.kind === 'refused' ? null : nextAttemptMs(attempts, outcome.retryAfterMs, random(), retry);
    const nowMs = clock.wallMs();
    if (waitMs === null) {
      this.#remove(delivery);
      return record(this.#waiting, [{ ...delivery, attempts, error, deadAtMs: nowMs }]);
    }
    const failed = { ...delivery, attempts, error, nextAtMs: Math.round(nowMs + waitMs) };
    this.#waiting = this.#waiting.map((each) => (each.id === delivery.id ? failed : each));
    this.#dueAt.set(delivery.id, clock.monotonicMs() + waitMs);
    record(this.#waiting, []);
  }

  /** One that fails is not tried again before the next one is due: what is to be told first has its own attempts. */
  async #refresh(now: number): Promise<void> {
    this.#refreshAt = now + this.#edges.refreshMs;
    for (const message of this.#edges.firing()) {
      const outcome = await this.#send(`refresh-${Math.round(now)}`, message);
      if (outcome?.kind !== 'taken') return;
    }
  }

  /** Null: broken off. */
  async #send(id: string, message: AlertMessage): Promise<Outcome | null> {
    const { clock, send } = this.#edges;
    const controller = new AbortController();
    this.#inFlight = controller;
    try {
      const outcome = await send({
        receiver: this.receiver,
        id,
        message,
        nowMs: clock.wallMs(),
        signal: controller.signal,
      });
      if (controller.signal.aborted) return null;
      this.#lastProblem = outcome.kind === 'taken' ? null : inWords(outcome);
      if (outcome.kind === 'taken') this.#lastTakenAtMs = clock.wallMs();
      return outcome;
    } catch (error) {
      if (controller.signal.aborted) return null;
      // A defect of ours: as bad for the message as a receiver that is not there, and no reason to tell no others.
      const problem = error instanceof Error ? error.message : String(error);
      this.#lastProblem = problem;
      return { kind: 'failed', problem, answer: '', retryAfterMs: null };
    } finally {
      this.#inFlight = null;
    }
  }
}

const MOST_WORDS = 500;

export const inWords = (outcome: Outcome): string => {
  if (outcome.kind === 'taken') return outcome.answer;
  const text = outcome.answer === '' ? outcome.problem : `${outcome.problem}: ${outcome.answer}`;
  return text.length > MOST_WORDS ? `${text.slice(0, MOST_WORDS)}…` : text;
};
