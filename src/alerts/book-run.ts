/**
 * Runs the book of alerts (`core/alert-book.ts`): steps it, keeps the time that it asks for, and writes down what has changed
 * together with the messages that come of it, so that a daemon that is killed in between has done both or neither.
 */
import {
  fingerprintOf,
  listAlerts,
  newAlertBook,
  resumeAlertBook,
  stepAlertBook,
  type AlertBook,
  type AlertBookEffect,
  type AlertBookEvent,
  type AlertContext,
  type Judgement,
} from '../core/index.ts';
import type { AlertDocument } from '../protocol/index.ts';
import type { AlertsEdges } from './edges.ts';

export type NotifyEffect = Extract<AlertBookEffect, { readonly type: 'notify' }>;
export type ReportEffect = Extract<AlertBookEffect, { readonly type: 'report' }>;

/** Of an event, without its time. */
export type Happened = AlertBookEvent extends infer Event ? (Event extends unknown ? Omit<Event, 'at'> : never) : never;

export interface BookEdges extends Pick<AlertsEdges, 'store' | 'clock' | 'schedule'> {
  /** Silences by the wall clock. */
  readonly context: () => AlertContext;
  /** Puts it into the queue of its receiver; in the middle of a write. */
  readonly notify: (effect: NotifyEffect) => void;
  readonly report: (effect: ReportEffect) => void;
  /** So many alerts were not taken up; told when that begins. */
  readonly overflow: (count: number) => void;
}

/** What is found beyond so many alerts is not taken up until others are over: who would read it, and the state is bounded. */
export const MOST_KNOWN = 1_000;
const MOST_SUMMARY_CHARACTERS = 500;
const MOST_DESCRIPTION_CHARACTERS = 4_096;
const MOST_EVIDENCE = 20;

export interface BookRun {
  judge(judgements: readonly Judgement[]): void;
  step(happened: Happened): void;
  list(): readonly AlertDocument[];
  /** What a receiver takes to be firing, by group, as it was told. */
  toldTo(receiver: string): readonly { readonly group: string; readonly alerts: readonly AlertDocument[] }[];
  close(): void;
}

export const runBook = ({ store, clock, schedule, context, notify, report, overflow }: BookEdges): BookRun => {
  // One timeline that wall clock jumps do not bend; those between two daemons are borne (`core/objective.ts`).
  const offset = clock.wallMs() - clock.monotonicMs();
  const now = (): number => Math.floor(offset + clock.monotonicMs());
  let book = resumeAlertBook(readBook(store), now());
  let callOff: (() => void) | null = null;
  let isFull = false;

  /** Silences begin and end by the wall clock, also where that was set since the daemon began. */
  const here = (): AlertContext => {
    const { receivers, silences } = context();
    const aheadMs = now() - clock.wallMs();
    const move = (time: string): string => new Date(Date.parse(time) + aheadMs).toISOString();
    const moved = silences.map((each) => ({ ...each, startsAt: move(each.startsAt), endsAt: move(each.endsAt) }));
    return { receivers, silences: moved };
  };
  const arm = (at: number | null): void => {
    callOff?.();
    callOff = at === null ? null : schedule.background(Math.max(0, at - now()), () => step({ type: 'tick' }));
  };
  const step = (happened: Happened): void => {
    const { state, effects } = stepAlertBook(book, { ...happened, at: now() }, here());
    const before = book;
    book = state;
    const writes = writesOf(store, before, state);
    const notifications = effects.filter((effect) => effect.type === 'notify');
    if (writes.length > 0 || notifications.length > 0)
      store.keepTogether(() => {
        for (const write of writes) write();
        for (const notification of notifications) notify(notification);
      });
    for (const effect of effects) {
      if (effect.type === 'report') report(effect);
      else if (effect.type === 'arm') arm(effect.at);
    }
  };
  const judge = (judgements: readonly Judgement[]): void => {
    let room = MOST_KNOWN - Object.keys(book.alerts).length;
    let left = 0;
    const taken = judgements.filter(({ subject, verdict }) => {
      // The good ones of those that are not known begin nothing.
      if (verdict !== 'bad' || room > judgements.length || book.alerts[fingerprintOf(subject)] !== undefined)
        return true;
      room -= 1;
      if (room >= 0) return true;
      left += 1;
      return false;
    });
    step({ type: 'judged', judgements: taken.map(bounded) });
    if (left > 0 && !isFull) overflow(left);
    isFull = left > 0;
  };
  return {
    judge,
    step,
    list: () => listAlerts(book, here().silences, now()),
    toldTo: (receiver) =>
      Object.entries(book.receivers[receiver]?.groups ?? {}).map(([group, { told }]) => ({
        group,
        alerts: Object.values(told),
      })),
    close: () => callOff?.(),
  };
};

const bounded = (judgement: Judgement): Judgement => {
  const { summary, description, evidence } = judgement.detail;
  if (
    summary.length <= MOST_SUMMARY_CHARACTERS &&
    description.length <= MOST_DESCRIPTION_CHARACTERS &&
    evidence.length <= MOST_EVIDENCE
  )
    return judgement;
  return {
    ...judgement,
    detail: {
      summary: summary.slice(0, MOST_SUMMARY_CHARACTERS),
      description: description.slice(0, MOST_DESCRIPTION_CHARACTERS),
      evidence: evidence.slice(0, MOST_EVIDENCE),
    },
  };
};

const readBook = ({ alerts: { states } }: AlertsEdges['store']): AlertBook => ({
  ...newAlertBook(),
  alerts: Object.fromEntries(states.list('alert').map(({ id, state }) => [id, state])) as AlertBook['alerts'],
  receivers: Object.fromEntries(states.list('receiver').map(({ id, state }) => [id, state])) as AlertBook['receivers'],
});

/** Judgements come every few seconds and mostly change nothing that the next daemon must know. */
const writesOf = (
  { alerts: { states } }: AlertsEdges['store'],
  before: AlertBook,
  after: AlertBook,
): readonly (() => void)[] => {
  const differences = <State>(
    kind: 'alert' | 'receiver',
    olds: Readonly<Record<string, State>>,
    news: Readonly<Record<string, State>>,
    extract: (state: State) => unknown,
  ): (() => void)[] => [
    ...Object.keys(olds)
      .filter((id) => !Object.hasOwn(news, id))
      .map((id) => () => states.remove(kind, id)),
    ...Object.entries(news)
      .filter(([id, state]) => {
        const old = olds[id];
        return old === undefined || JSON.stringify(extract(old)) !== JSON.stringify(extract(state));
      })
      .map(
        ([id, state]) =>
          () =>
            states.put(kind, id, state),
      ),
  ];
  return [
    // When it was last heard of is now, for the next daemon, and the details are told as they are when it tells them.
    ...differences('alert', before.alerts, after.alerts, ({ phase, startedAt, goodSince, isBad, endedAt, flaps }) => [
      phase,
      startedAt,
      goodSince,
      isBad,
      endedAt,
      flaps,
    ]),
    // What was told only changes together with the count.
    ...differences('receiver', before.receivers, after.receivers, ({ count, groups }) => [
      count,
      Object.entries(groups).map(([key, { waitingSince, toldAt }]) => [key, waitingSince, toldAt]),
    ]),
  ];
};
