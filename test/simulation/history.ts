/** What happens in one simulated history: users' commands, clients and faults, each at its time. Made from a seed; plain data. */
import type { Boot, Lie, Manner } from './process.ts';
import { Random } from './random.ts';

export const FAULTS = {
  /** The daemon is killed where it is. */
  'daemon-dies': 6,
  /** The daemon is killed at one of its next effects. */
  'daemon-dies-at-effect': 20,
  /** The daemon gets no core for a while, or is stopped. */
  'daemon-freezes': 3,
  /** The guard and the daemon are killed together: nobody keeps the sockets but the workers. */
  'guard-dies': 2,
  /** The guard alone is killed: the daemon starts another one. */
  'guard-dies-alone': 4,
  /** The machine goes down and comes up again. */
  'machine-reboots': 1,
  /** A worker is killed. */
  'worker-killed': 8,
  /** A worker ends by itself. */
  'worker-exits': 3,
  /** A worker's loop is blocked, or it is stopped, for a while. */
  'worker-stalls': 5,
  /** What is started in the next seconds does not come up, or not as it should. */
  'boots-badly': 5,
  /** What is started in the next seconds does not go when it is asked to. */
  'leaves-badly': 3,
  /** A worker dies while there is no daemon, and its pid is given to another program. */
  'pid-reused': 4,
  /** An agent says what is not so. */
  'agent-lies': 3,
  /** Some messages arrive twice. */
  'messages-doubled': 3,
  /** Some messages take a second. */
  'messages-late': 3,
  /** Some messages are overtaken by those that were said after them. */
  'messages-reordered': 3,
  /** The daemon dies, and with it all that is under way between it and the agents. */
  'messages-lost': 3,
  /** For a while the disk takes no write. */
  'disk-full': 5,
  /** The same, and the daemon begins anew on it. */
  'disk-read-only': 2,
  /** The daemon dies, and the next one finds its state damaged: a backup takes its place. */
  'state-falls-back': 2,
} as const;
export type FaultKind = keyof typeof FAULTS;

export const COMMANDS = {
  start: 3,
  reload: 8,
  scale: 5,
  restart: 3,
  stop: 3,
  /** One slot. */
  'stop-one': 2,
  delete: 1,
  release: 4,
  abort: 3,
} as const;
export type CommandKind = keyof typeof COMMANDS;

/** Phases of operations, and the two of a daemon without one. */
export const PHASES = ['preparing', 'booting', 'draining', 'reverting', 'done', 'failed', 'stuck'] as const;
export type Moment = (typeof PHASES)[number] | 'idle' | 'no daemon';
export const MOMENTS: readonly Moment[] = ['no daemon', 'idle', ...PHASES];

export interface Fault {
  readonly at: number;
  readonly what: 'fault';
  readonly kind: FaultKind;
  /** It lies in wait from `at` on, and happens when an operation next comes to this phase, or a daemon has died. */
  readonly on: Exclude<Moment, 'idle'> | null;
  /** Chooses among who could be hit, and how badly. */
  readonly pick: number;
  /** How long it lasts, where it lasts. */
  readonly ms: number;
  readonly boot: Boot;
  readonly manner: Manner;
  readonly lie: Lie;
}

export interface Command {
  readonly at: number;
  readonly what: 'command';
  readonly kind: CommandKind;
  readonly app: number;
  readonly size: number;
  /** It waits from `at` on, and is given so long after an operation next comes to this phase. */
  readonly after?: { readonly moment: Exclude<Moment, 'idle'>; readonly ms: number };
}

export type Happening =
  | Command
  | Fault
  /** Clients connect for a while. */
  | {
      readonly at: number;
      readonly what: 'clients';
      readonly app: number;
      readonly ms: number;
      readonly everyMs: number;
    };

/** How long things happen, in virtual milliseconds; then there is time to settle. */
export const EVENTFUL_MS = 60_000;

/** One in so many histories has clients: they cost most of the time. */
const CLIENTS_IN = 4;
/** One in so many has a {@link trap}. */
const TRAPS_IN = 2;

const AMBUSHES: Readonly<Record<Exclude<Moment, 'idle'>, number>> = {
  'no daemon': 3,
  preparing: 3,
  booting: 2,
  draining: 4,
  reverting: 5,
  done: 4,
  failed: 4,
  stuck: 4,
};

const commandOf = (random: Random, at: number, kind: CommandKind, app: number): Command => ({
  at,
  what: 'command',
  kind,
  app,
  size: random.between(1, 4),
});

const faultOf = (random: Random, at: number, kind: FaultKind): Fault => ({
  at,
  what: 'fault',
  kind,
  on: random.next() < 0.3 ? random.weighted(AMBUSHES) : null,
  pick: random.between(0, 1_000_000),
  ms: random.next() < 0.5 ? random.between(50, 1000) : random.between(500, 9000),
  boot: random.pick(['throws', 'exits-0', 'hangs', 'never-listens', 'silent'] as const),
  manner: random.pick(['ignores', 'exits-at-once'] as const),
  lie: random.pick(['garbage', 'closed', 'listening', 'exit', 'stranger', 'old-report'] as const),
});

export const historyOf = (seed: number): readonly Happening[] => {
  const random = new Random(seed);
  const commands = [
    commandOf(random, random.between(0, 2000), 'start', 0),
    commandOf(random, random.between(0, 20_000), 'start', 1),
    ...Array.from({ length: random.between(8, 35) }, () =>
      commandOf(random, random.between(0, EVENTFUL_MS), random.weighted(COMMANDS), random.between(0, 1)),
    ),
  ];
  // Whoever asked changes their mind at once.
  const regrets = commands
    .filter(() => random.next() < 0.1)
    .map((command) => ({ ...command, at: command.at + random.between(0, 300), kind: 'abort' as const }));
  const faults = Array.from({ length: random.between(10, 130) }, (): Happening =>
    // Half of them right after a command, where it hurts.
    faultOf(
      random,
      random.next() < 0.5
        ? Math.min(EVENTFUL_MS, (commands[random.between(0, commands.length - 1)]?.at ?? 0) + random.between(0, 2500))
        : random.between(0, EVENTFUL_MS),
      random.weighted(FAULTS),
    ),
  );
  const more = [
    ...(random.between(1, CLIENTS_IN) === 1 ? clients(random) : []),
    ...(random.between(1, TRAPS_IN) === 1 ? trap(random) : []),
  ];
  return [...commands, ...regrets, ...faults, ...more].toSorted((a, b) => a.at - b.at);
};

/** What chance alone brings about too seldom. */
const trap = (random: Random): readonly Happening[] => {
  const at = random.between(3000, EVENTFUL_MS);
  // The moment that the first is about is short.
  const rest = [cutHandOver, crashLoop, slowDrain, deletionOfMany, regrowth, firstPort];
  const traps = [stuckReload, stuckReload, stuckReload, stuckReload, ...rest];
  return random.pick(traps)(random, at);
};

const KINDS = Object.keys(FAULTS) as FaultKind[];

/**
 * A reload that cannot be put back either, because nothing comes up any more once the first slots were handed over, and
 * faults of any kind while that is being recorded.
 */
const stuckReload = (random: Random, at: number): readonly Happening[] => [
  commandOf(random, at, 'reload', random.between(0, 1)),
  { ...faultOf(random, at, 'boots-badly'), boot: 'throws', on: 'draining' },
  ...Array.from({ length: 3 }, (): Happening => ({ ...faultOf(random, at, random.pick(KINDS)), on: 'stuck' })),
];

/** A daemon dies in the middle of a hand-over, and the one who was to take over while nobody looks. */
const cutHandOver = (random: Random, at: number): readonly Happening[] => [
  commandOf(random, at, random.pick(['reload', 'release'] as const), random.between(0, 1)),
  { ...faultOf(random, at, 'daemon-dies-at-effect'), on: 'draining', pick: random.between(0, 4) },
  ...Array.from({ length: 2 }, (): Happening => ({
    ...faultOf(random, at, 'worker-killed'),
    on: 'no daemon',
    pick: random.next() < 0.7 ? NEWEST : random.between(0, 1_000_000),
  })),
];

/** A worker that is killed again and again, once it is up. */
const crashLoop = (random: Random, at: number): readonly Happening[] =>
  Array.from({ length: 9 }, (_, turn): Happening => ({
    ...faultOf(random, at + turn * random.between(900, 1600), 'worker-killed'),
    on: null,
    pick: NEWEST,
  }));

/** The daemon dies while old workers drain, which takes its time. */
const slowDrain = (random: Random, at: number): readonly Happening[] => [
  commandOf(random, at, 'reload', random.between(0, 1)),
  { ...faultOf(random, at, 'daemon-dies'), on: 'draining' },
  { ...faultOf(random, at + 100, 'daemon-dies'), on: 'draining' },
];

/** A reload is cut by a deletion while old workers, which do not go when asked, leave. */
const deletionOfMany = (random: Random, at: number): readonly Happening[] => {
  const app = random.between(0, 1);
  const begin = at + BAD_FOR_MS;
  return [
    { ...faultOf(random, at, 'leaves-badly'), manner: 'ignores', on: null },
    commandOf(random, at + 1, 'restart', app),
    commandOf(random, begin, 'reload', app),
    commandOf(random, begin + random.between(500, 3000), 'delete', app),
  ];
};
/** By then whoever is started leaves well again (`BAD_MS` in `faults.ts`). */
const BAD_FOR_MS = 4200;

/** A slot is emptied and filled again at once, and the daemon dies before its guard has heard of both. */
const regrowth = (random: Random): readonly Happening[] => {
  const app = random.between(0, 1);
  // Late, so that nothing replaces the worker that this is about.
  const at = random.between(45_000, EVENTFUL_MS);
  return [
    { ...commandOf(random, at, 'scale', app), size: 1 },
    { ...commandOf(random, at, 'scale', app), size: 2, after: { moment: 'done', ms: random.between(20, 40) } },
    { ...faultOf(random, at + 1, 'daemon-dies-at-effect'), on: 'booting', pick: random.between(2, 7) },
  ];
};

/** A port is opened that nobody has had before, for the first of two workers, and the daemon dies before anybody else knows. */
const firstPort = (random: Random): readonly Happening[] => {
  const app = random.between(0, 1);
  const at = random.between(45_000, EVENTFUL_MS);
  return [
    commandOf(random, at, 'delete', app),
    { ...commandOf(random, at, 'start', app), after: { moment: 'done', ms: random.between(20, 400) } },
    { ...faultOf(random, at + 1, 'daemon-dies-at-effect'), on: 'booting', pick: random.between(1, 9) },
  ];
};

/** Picks the last of up to ten. */
const NEWEST = 2519;

/** Clients, and what happens to workers while they connect. */
const clients = (random: Random): readonly Happening[] =>
  Array.from({ length: random.between(3, 8) }, () => random.between(3000, EVENTFUL_MS)).flatMap((at): Happening[] => {
    const ms = random.between(500, 4000);
    const kinds = { 'worker-stalls': 4, 'worker-killed': 2, 'daemon-dies': 1, 'daemon-freezes': 1 } as const;
    const fault = faultOf(random, at + random.between(0, ms), random.weighted(kinds));
    return [
      { at, what: 'clients', app: random.between(0, 1), ms, everyMs: random.between(8, 40) },
      { ...fault, on: null },
    ];
  });
