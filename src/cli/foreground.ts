/** Finds the daemon's engine for `drover run`: this room may not know that one, but both ship side by side. */
import type { AppConfig, DaemonConfig } from '../protocol/index.ts';

/** What `daemon/run.ts` exports. */
export interface ForegroundModule {
  /** Runs the apps until all have ended; resolves with the exit code. */
  readonly runForeground: (request: {
    readonly apps: readonly AppConfig[];
    readonly daemon: DaemonConfig | null;
    readonly watch: boolean;
    readonly directory: string;
  }) => Promise<number>;
}

export const loadForeground = async (): Promise<ForegroundModule> => {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return (await import(new URL(`../daemon/run${extension}`, import.meta.url).href)) as ForegroundModule;
};
