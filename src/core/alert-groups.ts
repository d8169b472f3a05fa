/**
 * What one receiver is told, and when. Pure. Alerts of an app are told together: the first waits `groupWaitMs` for others,
 * further changes wait until `groupIntervalMs` after the last telling (but what is more urgent than all that was told waits for
 * nothing but `groupWaitMs`), and what still fires is told again after `repeatMs`. The words are those of Alertmanager's routes.
 *
 * It goes by the difference between what fires and what was told, never by single events: what came and went meanwhile is
 * not told, what was told is told to be over once it is, muted or not, and nothing is told twice.
 */
import { SEVERITIES, type AlertDocument, type AlertNotificationDocument, type Severity } from '../protocol/index.ts';

export interface ReceiverPlan {
  /** Unique among the receivers, and the same over restarts. */
  readonly name: string;
  readonly severities: readonly Severity[];
  /** Null: of all apps, and those of none. */
  readonly apps: readonly string[] | null;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatMs: number;
}

/** A page that ends and begins again is not told more often than this by default. */
export const GROUP_INTERVAL_MS = 60_000;

export interface GroupState {
  /** What the receiver believes to fire, by fingerprint, as it was told. */
  readonly told: Readonly<Record<string, AlertDocument>>;
  /** When there first was something to tell that has not been told; null: there is nothing. */
  readonly waitingSince: number | null;
  readonly toldAt: number | null;
}

/** Plain data, to be kept over restarts. */
export interface ReceiverState {
  readonly groups: Readonly<Record<string, GroupState>>;
  /** Of its notifications so far. */
  readonly count: number;
}

export interface ReceiverStep {
  readonly state: ReceiverState;
  readonly notifications: readonly AlertNotificationDocument[];
  /** When to ask again although nothing changes; null: not at all. */
  readonly dueAt: number | null;
}

export const newReceiver = (): ReceiverState => ({ groups: {}, count: 0 });

export const groupOf = ({ app }: AlertDocument): string => (app === null ? 'daemon' : `app=${app}`);

const isFor = ({ severities, apps }: ReceiverPlan, { severity, app }: AlertDocument): boolean =>
  severities.includes(severity) && (apps === null || (app !== null && apps.includes(app)));

/** `alerts`: all that are known, muted ones and those that have ended among them. */
export const stepReceiver = (
  state: ReceiverState,
  alerts: readonly AlertDocument[],
  at: number,
  plan: ReceiverPlan,
): ReceiverStep => {
  const byGroup = new Map<string, AlertDocument[]>(Object.keys(state.groups).map((key) => [key, []]));
  for (const alert of alerts) {
    // What it was told it must be told the end of, also if it would not be told now.
    const isTold = state.groups[groupOf(alert)]?.told[alert.fingerprint] !== undefined;
    if (!isTold && !isFor(plan, alert)) continue;
    const group = byGroup.get(groupOf(alert));
    if (group === undefined) byGroup.set(groupOf(alert), [alert]);
    else group.push(alert);
  }
  const groups: Record<string, GroupState> = {};
  const notifications: AlertNotificationDocument[] = [];
  let dueAt: number | null = null;
  for (const [key, members] of byGroup) {
    const step = stepGroup(state.groups[key] ?? NEW_GROUP, members, at, plan);
    if (step.told !== null) {
      const id = `${at}-${state.count + notifications.length}`;
      notifications.push({ id, group: key, at: new Date(at).toISOString(), ...step.told });
    }
    const { told, waitingSince } = step.state;
    if (waitingSince === null && Object.keys(told).length === 0) continue;
    groups[key] = step.state;
    if (step.dueAt !== null) dueAt = Math.min(dueAt ?? step.dueAt, step.dueAt);
  }
  return { state: { groups, count: state.count + notifications.length }, notifications, dueAt };
};

const NEW_GROUP: GroupState = { told: {}, waitingSince: null, toldAt: null };

interface GroupStep {
  readonly state: GroupState;
  readonly told: Pick<AlertNotificationDocument, 'kind' | 'alerts'> | null;
  readonly dueAt: number | null;
}

const stepGroup = (state: GroupState, alerts: readonly AlertDocument[], at: number, plan: ReceiverPlan): GroupStep => {
  const firing = alerts.filter(({ status }) => status === 'firing');
  const fires = new Set(firing.map(({ fingerprint }) => fingerprint));
  const isTold = ({ fingerprint }: AlertDocument): boolean => state.told[fingerprint] !== undefined;
  const fresh = firing.filter((alert) => alert.mutedBy.length === 0 && !isTold(alert));
  const lasting = firing.filter(isTold);
  const over = Object.values(state.told).filter(({ fingerprint }) => !fires.has(fingerprint));
  if (fresh.length === 0 && over.length === 0) return repeat({ ...state, waitingSince: null }, lasting, at, plan);
  const waitingSince = state.waitingSince ?? at;
  const dueAt = changeDueAt({ ...state, waitingSince }, fresh, plan);
  if (at < dueAt) return { state: { ...state, waitingSince }, told: null, dueAt };
  const told = [...fresh, ...lasting];
  const ended = over.map((alert) => endOf(alert, alerts, at));
  const next = tell(told, at);
  return {
    state: next,
    told: { kind: told.length === 0 ? 'resolved' : 'firing', alerts: [...told, ...ended] },
    dueAt: repeatDueAt(next, told, plan),
  };
};

const changeDueAt = (
  { told, waitingSince, toldAt }: GroupState & { readonly waitingSince: number },
  fresh: readonly AlertDocument[],
  { groupWaitMs, groupIntervalMs }: ReceiverPlan,
): number => {
  const waitedAt = waitingSince + groupWaitMs;
  if (toldAt === null || urgency(fresh) > urgency(Object.values(told))) return waitedAt;
  return Math.max(waitedAt, toldAt + groupIntervalMs);
};

/** Of the most urgent one; 0 of none. */
const urgency = (alerts: readonly AlertDocument[]): number =>
  Math.max(0, ...alerts.map(({ severity }) => SEVERITIES.length - SEVERITIES.indexOf(severity)));

const tell = (alerts: readonly AlertDocument[], at: number): GroupState => ({
  told: Object.fromEntries(alerts.map((alert) => [alert.fingerprint, alert])),
  waitingSince: null,
  toldAt: at,
});

/** It may have been forgotten meanwhile; then its end is now. */
const endOf = (told: AlertDocument, alerts: readonly AlertDocument[], at: number): AlertDocument =>
  alerts.find(({ fingerprint, status }) => fingerprint === told.fingerprint && status === 'resolved') ?? {
    ...told,
    status: 'resolved',
    endsAt: new Date(at).toISOString(),
  };

/** What is muted by now is not told again, but may be the only thing that is left. */
const repeat = (state: GroupState, lasting: readonly AlertDocument[], at: number, plan: ReceiverPlan): GroupStep => {
  const dueAt = repeatDueAt(state, lasting, plan);
  if (dueAt === null || at < dueAt) return { state, told: null, dueAt };
  const next = tell(lasting, at);
  return { state: next, told: { kind: 'repeat', alerts: lasting }, dueAt: repeatDueAt(next, lasting, plan) };
};

const repeatDueAt = (
  { toldAt }: GroupState,
  lasting: readonly AlertDocument[],
  { repeatMs }: ReceiverPlan,
): number | null => (toldAt === null || lasting.every(({ mutedBy }) => mutedBy.length > 0) ? null : toldAt + repeatMs);
