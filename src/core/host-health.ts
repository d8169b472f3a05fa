/** How well the host is: as its worst app, or worse where the daemon itself suffers. */
import type { HealthStatus } from '../protocol/index.ts';
import { because } from './worker-health.ts';

const RANK: Readonly<Record<HealthStatus, number>> = { healthy: 0, degraded: 1, critical: 2 };

export interface HostFacts {
  readonly apps: readonly { readonly name: string; readonly status: HealthStatus; readonly reason: string | null }[];
  /** The daemon's own state cannot be written. */
  readonly isStateUnwritable: boolean;
  /** Output of workers finds no room on the disk. */
  readonly isOutputDropped: boolean;
}

/** The worst of the apps, and what the daemon itself suffers from. */
export const hostHealth = (host: HostFacts): { readonly status: HealthStatus; readonly reason: string | null } => {
  const worst = [...host.apps].sort((a, b) => RANK[b.status] - RANK[a.status])[0];
  const own = host.isStateUnwritable
    ? "Drover's state cannot be written to the disk"
    : host.isOutputDropped
      ? 'output of workers finds no room on the disk'
      : null;
  if (worst !== undefined && RANK[worst.status] >= RANK[own === null ? 'healthy' : 'degraded']) {
    const reason = worst.status === 'healthy' ? null : `${worst.name}${because(worst.reason)}`;
    return { status: worst.status, reason };
  }
  return own === null ? { status: 'healthy', reason: null } : { status: 'degraded', reason: own };
};
