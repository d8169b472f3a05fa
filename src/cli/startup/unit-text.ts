/**
 * The text of the systemd unit that is Drover's daemon. Pure. What each line is for, and what was left out, is in
 * `docs/internals/boot.md`; every directive is known to systemd 252.
 */
import { escapePath, quoteCommand, quoteWord } from './unit-quote.ts';

export interface UnitFacts {
  /** For the whole machine, or for the manager of one user. */
  readonly scope: 'system' | 'user';
  readonly home: string;
  /** The daemon's program and arguments; the program with its absolute path. */
  readonly daemon: readonly string[];
  /** What `systemctl reload` runs. */
  readonly upgrade: readonly string[];
  /** Whom a system unit runs as; null is root. */
  readonly user: string | null;
  readonly version: string;
}

/** Begins every unit that Drover wrote, so that it never replaces one that it did not. */
const UNIT_MARK = '# Written by `drover startup`';
/** Whether this text is a unit of ours for that home. */
export const isUnitOf = (text: string, home: string): boolean =>
  text.startsWith(UNIT_MARK) && text.split('\n').includes(homeLine(home));

const homeLine = (home: string): string => `Environment=${quoteWord(`DROVER_HOME=${home}`)}`;

/** Each shard, private socket and channel takes a place: three a worker and port. */
const STORE_PLACES = 4096;

export const renderUnit = (facts: UnitFacts): string =>
  [...unitSection(facts), '', ...serviceSection(facts), '', '[Install]', `WantedBy=${targetOf(facts)}`, ''].join('\n');

const targetOf = ({ scope }: UnitFacts): string => (scope === 'system' ? 'multi-user.target' : 'default.target');

const unitSection = ({ scope, home, version }: UnitFacts): readonly string[] => [
  `${UNIT_MARK} (${version}). Your own settings belong beside it: \`systemctl ${scope === 'user' ? '--user ' : ''}edit\`.`,
  '[Unit]',
  `Description=Drover process manager (${escapePath(home)})`,
  // A user's manager has no such targets.
  ...(scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target remote-fs.target'] : []),
  `RequiresMountsFor=${quoteWord(home)}`,
  '# However often it dies: it is started again.',
  'StartLimitIntervalSec=0',
];

const serviceSection = (facts: UnitFacts): readonly string[] => [
  '[Service]',
  'Type=notify',
  'NotifyAccess=main',
  ...(facts.user === null ? [] : [`User=${facts.user}`]),
  homeLine(facts.home),
  'Environment=DROVER_UNIT=%n',
  `WorkingDirectory=-${escapePath(facts.home)}`,
  `ExecStart=${quoteCommand(facts.daemon)}`,
  '# `systemctl reload`: the installed version takes over, in the same process.',
  `ExecReload=${quoteCommand(facts.upgrade)}`,
  'Restart=always',
  'RestartSec=100ms',
  '# Ended by `drover daemon stop`: it stays down.',
  'RestartPreventExitStatus=0',
  '# Apps outlive the daemon. `systemctl stop` lets it stop them; `systemctl restart` replaces the daemon only.',
  'KillMode=process',
  'RestartKillSignal=SIGUSR2',
  'SuccessExitStatus=85',
  'WatchdogSec=30s',
  'WatchdogSignal=SIGKILL',
  '# An app that is killed for its memory is no failure of the daemon.',
  'OOMPolicy=continue',
  '# Listening sockets and channels to the workers, from one daemon to the next.',
  `FileDescriptorStoreMax=${STORE_PLACES}`,
  'Delegate=yes',
  'TasksMax=infinity',
  ...hardening(facts),
];

/**
 * What V8 and ordinary apps do without. Only for root: for anybody else each of these takes `sudo` and other
 * set-user-id programs from the apps (`NoNewPrivileges` is implied). Never a ban on memory that is writable and
 * executable: V8 compiles into such memory.
 */
const hardening = ({ scope, user }: UnitFacts): readonly string[] =>
  scope === 'user' || user !== null
    ? []
    : [
        'LockPersonality=yes',
        'RestrictRealtime=yes',
        'SystemCallArchitectures=native',
        'CapabilityBoundingSet=~CAP_SYS_MODULE CAP_SYS_BOOT CAP_SYS_TIME CAP_WAKE_ALARM CAP_MAC_ADMIN CAP_MAC_OVERRIDE',
      ];
