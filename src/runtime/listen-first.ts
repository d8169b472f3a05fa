/**
 * Listens to one of Node's channels before everybody else, and for half the price: `subscribe` makes Node walk a list
 * within a `try` for each message, which is 1 % of the CPU of a hello-world server (`docs/benchmarks.md`). Here the
 * channel's own `publish` is the listener, and subscribers come after it as ever.
 */
import { channel } from 'node:diagnostics_channel';

type Publish = (message: unknown) => void;

interface OpenChannel {
  hasSubscribers: boolean;
  publish: Publish;
  /** Undefined while there are none (Node 20 to 26). */
  readonly _subscribers?: readonly unknown[] | undefined;
}

/** Node holds channels without subscribers weakly, and would make another one for `http`. */
const held: OpenChannel[] = [];

/** Who else listens to a channel. */
export class Others {
  readonly #channel: OpenChannel;
  /** What another copy of this file has put there: the agent's, where the app has loaded `drover/app`. */
  readonly #earlier: Publish | null;
  readonly #unheard: object | null;
  readonly #hasList: boolean;

  constructor(own: OpenChannel) {
    this.#channel = own;
    this.#earlier = Object.hasOwn(own, 'publish') ? own.publish : null;
    this.#unheard = Reflect.getPrototypeOf(channel('drover.unheard'));
    this.#hasList = '_subscribers' in own;
  }

  /** The prototype of a channel is another one while it has subscribers, but asking for that is a call into V8 on each message. */
  get areThere(): boolean {
    if (this.#earlier !== null) return true;
    if (this.#hasList) return this.#channel._subscribers !== undefined;
    return Reflect.getPrototypeOf(this.#channel) !== this.#unheard;
  }

  tell(message: unknown): void {
    if (this.#earlier !== null) this.#earlier(message);
    else (Reflect.getPrototypeOf(this.#channel) as OpenChannel).publish.call(this.#channel, message);
  }
}

/**
 * `listen` makes the function that hears each message, which tells the others and must not throw. One of its own for each channel:
 * a function that two share is none that V8 builds into their publishers.
 */
export function listenFirst(name: string, listen: (others: Others) => Publish): void {
  const own = channel(name) as unknown as OpenChannel;
  held.push(own);
  // Publishers ask for this before they make a message.
  Object.defineProperty(own, 'hasSubscribers', { value: true, configurable: true, writable: true });
  own.publish = listen(new Others(own));
}
