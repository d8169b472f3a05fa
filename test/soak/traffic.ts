/**
 * The load of a soak: light, because it is there to keep everything in use and not to find a limit. It runs within a
 * round and ends before the quiet point, where nothing but Drover itself may be open.
 */
import {
  type LoadReport,
  type LoadSpec,
  type LostRequest,
  type RunningLoad,
  startLoad,
} from '../support/load/index.ts';
import type { Ports } from './apps.ts';

/** About 150 requests and messages a second. */
const WISHES: readonly (Partial<LoadSpec> & Pick<LoadSpec, 'mode'> & { readonly to: keyof Ports })[] = [
  { to: 'steady', mode: 'kept', connections: 6, pauseMs: [80, 160] },
  { to: 'busy', mode: 'kept', connections: 6, pauseMs: [80, 160] },
  { to: 'busy', mode: 'new', connections: 3, pauseMs: [60, 140] },
  { to: 'busy', mode: 'websocket', connections: 10, pauseMs: [300, 500] },
];

/** Longer than any round. */
const SECONDS = 600;
/** A connection of a killed worker is noticed at once; on a full machine a little later. */
const NOTICED_WITHIN_MS = 5_000;

/** A worker that was killed, when, and the ports of the clients that were connected to it. */
export interface Kill {
  readonly at: number;
  readonly clients: ReadonlySet<number>;
}

export interface TrafficCount {
  readonly answered: number;
  /** On a connection of a worker that the soak had killed. */
  readonly lostWithKilled: number;
  /** Everything else, which there may be nothing of. */
  readonly lostUnexplained: readonly string[];
}

export const startTraffic = async (ports: Ports): Promise<readonly RunningLoad[]> =>
  Promise.all(WISHES.map(async ({ to, ...wish }) => startLoad({ ...wish, port: ports[to], seconds: SECONDS })));

export async function stopTraffic(loads: readonly RunningLoad[], kills: readonly Kill[]): Promise<TrafficCount> {
  const reports = await Promise.all(loads.map(async (load) => load.stop()));
  const lost = reports.flatMap((report) => report.lostRequests.map((one) => ({ report, one })));
  const unexplained = lost.filter(({ report, one }) => !isExplained(report, one, kills));
  return {
    answered: reports.reduce((sum, { answered }) => sum + answered, 0),
    lostWithKilled: lost.length - unexplained.length,
    lostUnexplained: unexplained.map(({ report, one }) => `${report.mode}: ${one.reason}`),
  };
}

const isExplained = (
  { startedAt }: LoadReport,
  { lostAtMs, localPort }: LostRequest,
  kills: readonly Kill[],
): boolean =>
  kills.some(
    ({ at, clients }) =>
      localPort !== null && clients.has(localPort) && Math.abs(startedAt + lostAtMs - at) < NOTICED_WITHIN_MS,
  );
