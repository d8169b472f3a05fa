/**
 * The answers to the three questions that machines ask of a process, as `application/health+json`
 * (draft-inadarei-api-health-check-06): is it alive, is it ready, how does it stand.
 *
 * Liveness knows of no check: a process whose database is away must not be replaced by one whose database is away.
 * Missing data is no good news: a critical check without an outcome yet is not ready.
 */
import type { NamedReading } from './health.ts';

export const HEALTH_TYPE = 'application/health+json';

export type HealthQuestion = 'health' | 'live' | 'ready';

export interface HealthFacts {
  readonly readings: readonly NamedReading[];
  /** `starting`: the app has announced that it will say when it is ready, and has not. */
  readonly phase: 'starting' | 'serving' | 'draining';
  /** Given up by the app's own self-healing; null where not. */
  readonly hopeless: string | null;
}

/** What the answers say of the service besides. */
export interface HealthNames {
  readonly version?: string;
  readonly releaseId?: string;
  readonly serviceId?: string;
  readonly description?: string;
}

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: HealthBody;
}

export interface HealthBody extends HealthNames {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly output?: string;
  /** `componentName:measurementName`, each with a list. */
  readonly checks?: Readonly<Record<string, readonly HealthEntry[]>>;
}

export interface HealthEntry {
  readonly componentType: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly observedValue?: unknown;
  readonly observedUnit?: string;
  readonly time?: string;
  readonly output?: string;
}

/** `withDetails`: names of checks and reasons, which are nobody's business outside. */
export function answerHealth(
  question: HealthQuestion,
  facts: HealthFacts,
  names: HealthNames,
  withDetails: boolean,
): HealthAnswer {
  const { status, output } = judge(question, facts);
  const readings =
    question === 'live' ? [] : facts.readings.filter(({ critical }) => question === 'health' || critical);
  const body: HealthBody = {
    status,
    ...(withDetails && names),
    ...(withDetails && output !== null && { output }),
    ...(withDetails && question !== 'live' && { checks: entriesOf(readings) }),
  };
  return { status: status === 'fail' ? 503 : 200, body };
}

interface Judgement {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly output: string | null;
}

function judge(question: HealthQuestion, { readings, phase, hopeless }: HealthFacts): Judgement {
  if (question === 'live') return { status: hopeless === null ? 'pass' : 'fail', output: hopeless };
  if (phase === 'draining') return { status: 'fail', output: 'draining' };
  if (phase === 'starting') return { status: 'fail', output: 'starting' };
  const critical = readings.filter((one) => one.critical && (one.status === 'fail' || one.status === 'unknown'));
  if (critical.length > 0) return { status: 'fail', output: critical.map(reasonOf).join('; ') };
  const warning = readings.filter(({ status }) => status === 'fail' || status === 'warn');
  return warning.length === 0
    ? { status: 'pass', output: null }
    : { status: 'warn', output: warning.map(reasonOf).join('; ') };
}

function reasonOf({ name, status, output }: NamedReading): string {
  return `${name}: ${output ?? (status === 'unknown' ? 'not checked yet' : status)}`;
}

function entriesOf(readings: readonly NamedReading[]): Record<string, HealthEntry[]> {
  const entries: Record<string, HealthEntry[]> = Object.create(null) as Record<string, HealthEntry[]>;
  for (const reading of readings) (entries[keyOf(reading.name)] ??= []).push(entryOf(reading));
  return entries;
}

/** What the draft calls `{componentName}:{measurementName}`; a plain name measures how long the check took. */
const keyOf = (name: string): string => (name.includes(':') ? name : `${name}:responseTime`);

function entryOf(reading: NamedReading): HealthEntry {
  const { status, componentType, observedValue, observedUnit, timeMs, output } = reading;
  return {
    componentType: componentType ?? 'component',
    // The draft has no word for it, and it has passed nothing yet.
    status: status === 'unknown' ? 'warn' : status,
    ...(observedValue !== null && { observedValue }),
    ...(observedUnit !== null && { observedUnit }),
    ...(timeMs !== null && { time: new Date(timeMs).toISOString() }),
    ...(status === 'unknown' ? { output: 'not checked yet' } : output !== null && status !== 'pass' && { output }),
  };
}
