/**
 * What keeps the daemon's sockets while there is none. It learns of a change a moment after it was made, as the real
 * guard does, which is started anew for it.
 */
import type { KeptDescriptor } from '../../src/net/index.ts';
import type { Kernel, Listener, Owner } from './kernel.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Starting a process takes so long, in milliseconds, on machines that are busy as on others. */
const EARLIEST_MS = 5;
const LATEST_MS = 250;
/** The daemon hears of its guard's death at once, and waits a moment where that one was a new one, in milliseconds. */
const REPLACED_AFTER_MS = 30;

export class Guard {
  readonly #kernel: Kernel;
  readonly #time: VirtualTime;
  readonly #random: Random;
  #kept: readonly { readonly name: string; readonly listener: Listener }[] = [];
  /** Whose change it is about to learn of. */
  #due: Owner | null = null;
  #isThere = false;

  constructor(kernel: Kernel, time: VirtualTime, random: Random) {
    this.#kernel = kernel;
    this.#time = time;
    this.#random = random;
  }

  /** `inventory` is asked when it takes over: null where that daemon is gone by then. */
  renew(owner: Owner, inventory: () => readonly KeptDescriptor[] | null): void {
    if (this.#due === owner) return;
    this.#due = owner;
    this.#time.after(this.#random.between(EARLIEST_MS, LATEST_MS), () => {
      // The daemon that wanted it is gone, and another one has wanted another since.
      if (this.#due !== owner) return;
      this.#due = null;
      const list = inventory();
      if (list === null) return;
      const kept = list.map(({ name, fd }) => ({ name, listener: this.#kernel.listenerOf(fd, owner) }));
      for (const { listener } of kept) this.#kernel.hold(listener, this);
      this.#letGo();
      this.#kept = kept;
      this.#isThere = true;
    });
  }

  /** For the next daemon, as descriptors of its own. */
  handOver(to: Owner): readonly KeptDescriptor[] {
    return this.#kept
      .filter(({ listener }) => listener.isOpen)
      .map(({ name, listener }) => ({ name, fd: this.#kernel.duplicate(listener, to) }));
  }

  /** It was killed, and nobody keeps the sockets until there is another one. */
  die(): void {
    this.#letGo();
    this.#kept = [];
    this.#isThere = false;
  }

  /** It was killed under a daemon that lives: that one starts another. */
  dieAlone({ act, renew }: { readonly act: (work: () => void) => void; readonly renew: () => void }): void {
    this.die();
    this.#time.after(REPLACED_AFTER_MS, () => act(renew));
  }

  /** It can be killed. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** It keeps every socket: it has heard of the last change. */
  get hasAll(): boolean {
    return this.#isThere && this.#due === null;
  }

  #letGo(): void {
    for (const { listener } of this.#kept) if (listener.isOpen) this.#kernel.drop(listener, this);
  }
}
