/** Keeps `daemon.health` listening where it is configured to, also when that changes or the port is taken for a while. */
import { messageOf } from '../protocol/index.ts';
import { serveHealth, type HealthServer, type HealthSource } from '../api/index.ts';
import type { DaemonConfig } from '../protocol/index.ts';

export interface HealthPortOptions {
  readonly config: () => DaemonConfig['health'];
  readonly source: HealthSource;
  readonly log: (line: string) => void;
}

export interface HealthPort {
  /** Whether it listens where it should; else it tries. */
  look(): void;
  close(): Promise<void>;
}

export const openHealthPort = ({ config, source, log }: HealthPortOptions): HealthPort => {
  let server: HealthServer | null = null;
  let at: string | null = null;
  let told: string | null = null;
  let work: Promise<void> = Promise.resolve();
  let isClosed = false;
  const settle = async (): Promise<void> => {
    const wanted = isClosed ? null : config();
    const place = wanted === null ? null : `${wanted.host}:${wanted.port}`;
    if (place === at) return;
    await server?.close();
    server = null;
    at = null;
    if (wanted === null || place === null) return;
    try {
      server = await serveHealth(wanted, source);
      at = place;
      told = null;
      log(`health and metrics are answered on ${place}`);
    } catch (error) {
      const problem = `health cannot be answered on ${place}: ${messageOf(error)}`;
      if (told !== problem) log(problem);
      told = problem;
    }
  };
  const look = (): void => {
    work = work.then(settle, settle);
  };
  look();
  return {
    look,
    async close() {
      isClosed = true;
      look();
      await work;
    },
  };
};
