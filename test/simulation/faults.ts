/** What a fault does to the simulated world. */
import type { SimDaemon } from './daemon.ts';
import type { Disk } from './disk.ts';
import type { Guard } from './guard.ts';
import type { Fault, FaultKind } from './history.ts';
import type { Machine } from './machine.ts';
import type { Boot, Manner, Temper } from './process.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How long a fault of boots or manners lasts. */
export const BAD_MS = 4000;
/** A backup is at most so old. */
const OLDEST_BACKUP_MS = 62_000;

/** These change something later, or never: they count when they do. */
export const COUNTED_LATER: ReadonlySet<FaultKind> = new Set([
  'daemon-dies-at-effect',
  'daemon-freezes',
  'worker-stalls',
  'boots-badly',
  'leaves-badly',
  'messages-doubled',
  'messages-late',
  'messages-reordered',
  'messages-lost',
  'disk-full',
  'disk-read-only',
]);

export interface Struck {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly machine: Machine;
  readonly disk: Disk;
  readonly guard: Guard;
  readonly daemon: () => SimDaemon | null;
  readonly kill: () => void;
  /** So many effects from now the daemon dies. False: it is to already. */
  readonly light: (effects: number) => boolean;
  /** The next daemon finds an older state. */
  readonly onFallBack: () => void;
}

export class Faults {
  readonly #world: Struck;
  #boot: { readonly until: number; readonly boot: Boot } | null = null;
  #manner: { readonly until: number; readonly manner: Manner } | null = null;

  constructor(world: Struck) {
    this.#world = world;
  }

  /** Of a process that is started now. */
  temper(): Temper {
    const { random } = this.#world;
    return {
      boot: this.#now(this.#boot)?.boot ?? 'well',
      manner: this.#now(this.#manner)?.manner ?? 'drains',
      bootMs: random.between(20, 400),
      drainMs: random.between(0, 1500),
    };
  }

  /** Returns what was hit; null: there was nobody, and nothing changed. */
  strike({ kind, pick, ms, boot, manner, lie }: Fault): string | null {
    const { time, machine, disk, guard, kill, light, onFallBack } = this.#world;
    const daemon = this.#world.daemon();
    const living = machine.living.filter(({ birth }) => birth.app !== 'stranger');
    const victim = living[pick % Math.max(1, living.length)] ?? null;
    const named = victim === null ? null : `pid ${victim.birth.pid}`;
    const until = time.now + BAD_MS;
    switch (kind) {
      case 'daemon-dies':
        if (daemon === null) return null;
        kill();
        return 'the daemon';
      case 'daemon-dies-at-effect':
        if (daemon === null) return null;
        return light(1 + (pick % 25)) ? `in ${1 + (pick % 25)} effects` : null;
      case 'daemon-freezes':
        daemon?.freeze(ms);
        return daemon === null ? null : `${ms} ms`;
      case 'guard-dies':
        if (daemon === null) return null;
        kill();
        guard.die();
        return 'with the daemon';
      case 'guard-dies-alone':
        if (daemon === null || !guard.isThere) return null;
        guard.dieAlone({ act: (work) => daemon.act(work), renew: () => daemon.renewGuard() });
        return 'alone';
      case 'machine-reboots':
        kill();
        machine.reboot();
        guard.die();
        disk.crash((pick % 1000) / 1000);
        return 'all of it';
      case 'worker-killed':
        victim?.end(null, 'SIGKILL');
        return named;
      case 'worker-exits':
        victim?.end(pick % 2, null);
        return named;
      case 'worker-stalls':
        victim?.stall(ms);
        return named === null ? null : `${named} for ${ms} ms`;
      case 'boots-badly':
        this.#boot = { until, boot };
        return boot;
      case 'leaves-badly':
        this.#manner = { until, manner };
        return manner;
      case 'pid-reused':
        if (victim === null) return null;
        kill();
        victim.end(null, 'SIGKILL');
        machine.reusePid(victim.birth.pid);
        return named;
      case 'agent-lies':
        if (victim === null || victim.ear === null) return null;
        victim.lie(lie);
        return `${named}: ${lie}`;
      case 'messages-doubled':
      case 'messages-late':
      case 'messages-reordered':
        machine.hits[kind] += 1 + (pick % 5);
        return 'some';
      case 'messages-lost':
        if (daemon === null) return null;
        kill();
        machine.loseMessages();
        return 'with the daemon';
      case 'disk-full':
      case 'disk-read-only':
        if (disk.condition !== 'well') return null;
        if (kind === 'disk-read-only') kill();
        disk.condition = kind === 'disk-full' ? 'full' : 'read-only';
        time.after(ms * 2, () => {
          disk.condition = 'well';
        });
        return `${ms * 2} ms`;
      case 'state-falls-back': {
        kill();
        const backupAt = Math.max(0, time.now - (pick % OLDEST_BACKUP_MS));
        if (!disk.fallBackTo(backupAt)) return null;
        onFallBack();
        return `to ${(backupAt / 1000).toFixed(3)}`;
      }
      default:
        return kind satisfies never;
    }
  }

  #now<Bad extends { readonly until: number }>(bad: Bad | null): Bad | null {
    return bad !== null && bad.until > this.#world.time.now ? bad : null;
  }
}
