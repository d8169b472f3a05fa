/** Problems of what a configuration says about health that no single value shows. */
import type { CompleteDaemonSettings, CompleteSettings } from './schema.ts';

export interface HealthProblem {
  readonly keys: readonly (string | number)[];
  readonly value: unknown;
  readonly message: string;
}

const TARGETS = ['http', 'tcp', 'exec', 'inProcess'] as const;
const RECEIVERS = ['webhook', 'alertmanager', 'command'] as const;

/** `raw`: what was written, without defaults. */
export const findHealthProblems = ({ probes, slo }: CompleteSettings, raw: unknown): HealthProblem[] => {
  const problems: HealthProblem[] = [];
  for (const kind of ['startup', 'liveness', 'readiness'] as const) {
    const probe = probes[kind];
    if (probe === undefined) continue;
    const keys = ['probes', kind];
    const named = TARGETS.filter((name) => probe[name] !== undefined);
    if (named.length !== 1)
      problems.push({ keys, value: probe, message: 'must have exactly one of `http`, `tcp`, `exec` and `inProcess`' });
    for (const key of ['port', 'headers', 'scheme'] as const)
      if (probe.http === undefined && isWritten(raw, ['probes', kind, key]))
        problems.push({ keys: [...keys, key], value: probe[key], message: 'belongs to `http` only' });
    if (probe.host !== undefined && probe.http === undefined && probe.tcp === undefined)
      problems.push({ keys: [...keys, 'host'], value: probe.host, message: 'belongs to `http` or `tcp`' });
    // As in Kubernetes: a worker that failed is replaced, so that nothing is there to succeed twice.
    if (kind !== 'readiness' && probe.successThreshold !== 1)
      problems.push({
        keys: [...keys, 'successThreshold'],
        value: probe.successThreshold,
        message: 'must be 1: only readiness is asked again after a failure',
      });
    if (kind === 'liveness' && probe.inProcess === true)
      problems.push({
        keys: [...keys, 'inProcess'],
        value: true,
        message: 'must not be a liveness probe: checks of dependencies would replace workers that are well',
      });
  }
  const names = new Set<string>();
  for (const [index, { name, thresholdMs, ratio }] of slo.entries()) {
    if (names.has(name)) problems.push({ keys: ['slo', index, 'name'], value: name, message: 'is there twice' });
    names.add(name);
    if (thresholdMs !== undefined && ratio !== undefined)
      problems.push({ keys: ['slo', index], value: name, message: 'must not have both `thresholdMs` and `ratio`' });
  }
  return problems;
};

export const findDaemonProblems = ({ alerts }: CompleteDaemonSettings): HealthProblem[] =>
  alerts.flatMap((receiver, index): HealthProblem[] =>
    RECEIVERS.filter((name) => receiver[name] !== undefined).length === 1
      ? []
      : [
          {
            keys: ['alerts', index],
            value: receiver,
            message: 'must have exactly one of `webhook`, `alertmanager` and `command`',
          },
        ],
  );

const isWritten = (raw: unknown, path: readonly string[]): boolean =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], raw) !== undefined;
