/** What was done and what came of it: each fault with its time, and what the loads saw meanwhile. */
import { answeredBetween, type LoadReport } from '../../support/load/index.ts';
import type { Deaths } from './deaths.ts';
import type { Fault } from './fault.ts';

export interface Injection {
  readonly fault: string;
  readonly family: string;
  /** The app; `all` for a fault of the daemon, null for one apart. */
  readonly app: string | null;
  /** Wall clock. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly violation: string | null;
}

export interface LoadOfApp {
  readonly app: string;
  readonly report: LoadReport;
}

export interface FaultRow {
  readonly fault: string;
  readonly family: string;
  readonly times: number;
  readonly answered: number;
  /** In flight on a process that was itself killed. */
  readonly excused: number;
  readonly lost: number;
  readonly violations: number;
}

const NOTHING = 'between faults';

export class Books {
  readonly injections: Injection[] = [];

  get violations(): readonly Injection[] {
    return this.injections.filter(({ violation }) => violation !== null);
  }

  /** One row for each fault, in the order of `faults`, and what was lost between them. */
  rows(faults: readonly Fault[], losses: readonly Loss[], loads: readonly LoadOfApp[]): readonly FaultRow[] {
    const rowOf = (fault: string, family: string): FaultRow => {
      const own = this.injections.filter((one) => one.fault === fault);
      const charged = losses.filter((loss) => loss.chargedTo === fault);
      return {
        fault,
        family,
        times: own.length,
        answered: own.reduce((sum, one) => sum + answeredDuring(one, loads), 0),
        excused: charged.filter(({ isExcused }) => isExcused).length,
        lost: charged.filter(({ isExcused }) => !isExcused).length,
        violations: own.filter(({ violation }) => violation !== null).length,
      };
    };
    const rest = rowOf(NOTHING, '');
    return [...faults.map(({ name, family }) => rowOf(name, family)), ...(rest.excused + rest.lost > 0 ? [rest] : [])];
  }

  /** Everything that was lost, with the fault that it belongs to. */
  losses(loads: readonly LoadOfApp[], deaths: Deaths): readonly Loss[] {
    return loads.flatMap(({ app, report }) =>
      report.lostRequests.map((lost) => {
        const atMs = report.startedAt + lost.lostAtMs;
        const sentMs = report.startedAt + lost.sentAtMs;
        const during = this.injections.filter(
          (one) =>
            (one.app === app || one.app === 'all') && one.fromMs <= atMs && one.toMs >= Math.min(sentMs, atMs - 1),
        );
        return {
          app,
          reason: lost.reason,
          atMs,
          sentMs,
          localPort: lost.localPort,
          id: lost.id,
          deaths: deaths.describe(app, report, lost),
          isExcused: deaths.judge(app, report, lost) !== 'unexplained',
          chargedTo: during.at(-1)?.fault ?? NOTHING,
          during: during.map(({ fault }) => fault),
        };
      }),
    );
  }
}

export interface Loss {
  readonly app: string;
  readonly reason: string;
  readonly atMs: number;
  readonly sentMs: number;
  readonly localPort: number | null;
  readonly id: string;
  readonly deaths: string;
  readonly isExcused: boolean;
  readonly chargedTo: string;
  readonly during: readonly string[];
}

const answeredDuring = ({ app, fromMs, toMs }: Injection, loads: readonly LoadOfApp[]): number =>
  loads
    .filter((load) => app === 'all' || load.app === app)
    .reduce((sum, { report }) => sum + answeredBetween(report, fromMs, toMs), 0);
