/**
 * The critical checks that the app has registered, as its agent reported them last. Nothing is run: the app runs them at its own
 * pace. What is too old to believe, or was never said, is missing data: an event loop that is blocked reports nothing.
 */
import type { AgentReport, AppCheck, ProbeConfig } from '../../protocol/index.ts';
import { failed, missing, passed } from '../answers.ts';
import type { CheckAnswer } from '../edges.ts';

export const inProcessCheck = (
  last: { readonly report: AgentReport; readonly at: number } | null,
  at: number,
  { periodMs, timeoutMs }: Pick<ProbeConfig, 'periodMs' | 'timeoutMs'>,
): CheckAnswer => {
  if (last === null) return missing('its agent has not reported yet');
  const reportAgeMs = at - last.at;
  if (reportAgeMs > 2 * periodMs + timeoutMs) {
    return missing(`its agent has not reported for ${Math.round(reportAgeMs)} ms`);
  }
  const checks = last.report.checks ?? [];
  if (checks.length === 0) return missing('the app has registered no check');
  const critical = checks.filter((check) => check.critical);
  const bad = critical.filter(({ status }) => status === 'fail');
  if (bad.length > 0) {
    return failed(bad.map(({ name, error }) => (error === undefined ? name : `${name}: ${error}`)).join('; '));
  }
  const unknown = critical.filter((check) => {
    const oldestMs = 2 * Math.max(periodMs, check.intervalMs ?? 0) + timeoutMs;
    return check.status === 'unknown' || reportAgeMs + check.ageMs > oldestMs;
  });
  return unknown.length === 0 ? passed() : missing(`${namesOf(unknown)}: no answer, or an old one`);
};

const namesOf = (checks: readonly AppCheck[]): string => checks.map(({ name }) => name).join(', ');
