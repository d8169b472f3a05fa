/**
 * Whether a service manager (systemd) started this process, and what it said in the environment. The variables reach
 * whatever is started from a service, such as a shell of a CI runner, so they only count when they are about this
 * process: `SYSTEMD_EXEC_PID` names it (since systemd 248), and it stays true over an upgrade in place.
 */
type Environment = Record<string, string | undefined>;

export interface ServiceManager {
  /** `NOTIFY_SOCKET`, as it came. */
  readonly notifyAddress: string;
  /** The longest silence that it tolerates, in milliseconds; null without a watchdog. */
  readonly watchdogMs: number | null;
  /** The unit, where Drover's own unit file says so. */
  readonly unit: string | null;
}

/** Changes nothing: the next program that this process becomes reads the same. */
export const findServiceManager = (env: Environment, pid: number): ServiceManager | null => {
  const notifyAddress = env['NOTIFY_SOCKET'];
  if (!notifyAddress || env['SYSTEMD_EXEC_PID'] !== String(pid)) return null;
  return { notifyAddress, watchdogMs: findWatchdog(env, pid), unit: env['DROVER_UNIT'] ?? null };
};

/** As sd_watchdog_enabled(3): not ours when it names another process. */
const findWatchdog = (env: Environment, pid: number): number | null => {
  const owner = env['WATCHDOG_PID'];
  const micros = Number(env['WATCHDOG_USEC']);
  const isOurs = owner === undefined || owner === String(pid);
  return isOurs && Number.isSafeInteger(micros) && micros > 0 ? micros / 1000 : null;
};
