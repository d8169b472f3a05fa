/** What a fault is to the campaign. The faults themselves are in `faults/`, a file for each family. */
import type { EventType } from '../../../src/protocol/index.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import type { World } from './world.ts';

export const FAMILIES = [
  'workers',
  'the worker itself',
  'boots',
  'daemon',
  'operations',
  'agents',
  'clients',
  'disk',
  'state',
] as const;
export type Family = (typeof FAMILIES)[number];

/** `app`: others may be hit meanwhile. `daemon`: all apps, nothing else meanwhile. `apart`: a Drover of its own. */
export type Scope = 'app' | 'daemon' | 'apart';

export interface Place {
  readonly world: World;
  /** Whom it hits, or, for a fault of the daemon, who is changed meanwhile. */
  readonly app: AppUnderLoad;
  readonly random: () => number;
}

export interface Fault {
  readonly name: string;
  readonly family: Family;
  readonly scope: Scope;
  /** How often it is dealt before everything was dealt once. */
  readonly times: number;
  /** Left out of the small campaign, because it takes long and others of its family are in it. */
  readonly isLong?: boolean;
  /** Alarms that it gives reason for. Any other one is a violation. */
  readonly provokes?: readonly EventType[];
  /** Apps that it can be done to; left out: all. */
  readonly apps?: readonly string[];
  /** Why it cannot be made here; false where it can. */
  readonly skip?: string | false;
  /** Injects it and resolves when it is over. What must hold then is checked by the campaign. Throws a {@link Violation}. */
  inject(place: Place): Promise<void>;
}

/** Something that must hold and does not. */
export class Violation extends Error {}

export const pick = <Item>(random: () => number, items: readonly Item[]): Item => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
};
