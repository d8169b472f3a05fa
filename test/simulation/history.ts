/** What happens in one simulated history: users' commands and faults, each at its time. Made from a seed; plain data. */
import type { Boot, Manner } from './machine.ts';
import { Random } from './random.ts';

export const FAULTS = {
  /** The daemon is killed where it is. */
  'daemon-dies': 6,
  /** The daemon is killed at one of its next effects. */
  'daemon-dies-at-effect': 20,
  /** The machine goes down and comes up again. */
  'machine-reboots': 1,
  /** A worker is killed. */
  'worker-killed': 8,
  /** A worker ends by itself. */
  'worker-exits': 3,
  /** What is started in the next seconds does not come up, or not as it should. */
  'boots-badly': 5,
  /** What is started in the next seconds does not go when it is asked to. */
  'leaves-badly': 3,
  /** Some messages arrive twice. */
  'messages-doubled': 3,
  /** A worker dies while there is no daemon, and its pid is given to another program. */
  'pid-reused': 4,
} as const;
export type FaultKind = keyof typeof FAULTS;

export const COMMANDS = {
  start: 3,
  reload: 8,
  scale: 4,
  restart: 3,
  stop: 3,
  delete: 1,
  release: 4,
  abort: 3,
} as const;
export type CommandKind = keyof typeof COMMANDS;

export type Happening =
  | {
      readonly at: number;
      readonly what: 'command';
      readonly kind: CommandKind;
      readonly app: number;
      readonly size: number;
    }
  | {
      readonly at: number;
      readonly what: 'fault';
      readonly kind: FaultKind;
      /** Chooses among who could be hit. */
      readonly pick: number;
      readonly boot: Boot;
      readonly manner: Manner;
    };

/** How long things happen, in virtual milliseconds; then there is time to settle. */
export const EVENTFUL_MS = 60_000;

export const historyOf = (seed: number): readonly Happening[] => {
  const random = new Random(seed);
  const commands = Array.from({ length: random.between(5, 25) }, (): Happening => ({
    at: random.between(0, EVENTFUL_MS),
    what: 'command',
    kind: random.weighted(COMMANDS),
    app: random.between(0, 1),
    size: random.between(1, 4),
  }));
  const faults = Array.from({ length: random.between(10, 60) }, (): Happening => ({
    // Half of them right after a command, where it hurts.
    at:
      random.next() < 0.5
        ? Math.min(EVENTFUL_MS, (commands[random.between(0, commands.length - 1)]?.at ?? 0) + random.between(0, 2500))
        : random.between(0, EVENTFUL_MS),
    what: 'fault',
    kind: random.weighted(FAULTS),
    pick: random.between(0, 1_000_000),
    boot: random.pick(['throws', 'exits-0', 'hangs', 'never-listens', 'silent'] as const),
    manner: random.pick(['ignores', 'exits-at-once'] as const),
  }));
  return [...commands, ...faults].toSorted((a, b) => a.at - b.at);
};
