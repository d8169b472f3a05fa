/**
 * Listens to one of Node's channels before everybody else, and for half the price: `subscribe` makes Node walk a list
 * within a `try` for each message, which is 1 % of the CPU of a hello-world server (`docs/benchmarks.md`). Here the
 * channel's own `publish` is the listener, and subscribers come after it as ever.
 */
import { channel } from 'node:diagnostics_channel';

interface OpenChannel {
  hasSubscribers: boolean;
  publish: (message: unknown) => void;
}

/** Node holds channels without subscribers weakly, and would make another one for `http`. */
const held: OpenChannel[] = [];

/** `listener` must not throw. */
export function listenFirst(name: string, listener: (message: unknown) => void): void {
  const own = channel(name) as unknown as OpenChannel;
  held.push(own);
  // Publishers ask for this before they make a message.
  Object.defineProperty(own, 'hasSubscribers', { value: true, configurable: true, writable: true });
  // Another copy of this file may listen already: the agent's, where the app has loaded `drover/app`.
  const earlier = Object.hasOwn(own, 'publish') ? own.publish : null;
  own.publish = (message) => {
    listener(message);
    if (earlier !== null) earlier(message);
    // The prototype is another one while there are subscribers.
    else (Reflect.getPrototypeOf(own) as OpenChannel).publish.call(own, message);
  };
}
