/**
 * `process.send` and its kin for the app, without a Node IPC channel: pm2's and forks' conventions work, and neither
 * the daemon's death nor a channel's end is ever visible. `message` is emitted by the agent.
 */
export interface AppIpc {
  /** Delivers a message of the daemon to the app. */
  readonly deliver: (payload: unknown) => void;
}

type Callback = (error: Error | null) => void;

/** `send` says whether the message was taken. Does nothing where the app has a channel of its own. */
export function provideAppIpc(send: (payload: unknown) => boolean): AppIpc {
  if (typeof process.send === 'function') return { deliver: () => undefined };
  let isConnected = true;

  const sendMessage = (message: unknown, ...rest: readonly unknown[]): boolean => {
    const callback = rest.find((argument): argument is Callback => typeof argument === 'function');
    const error = isConnected ? null : closedError();
    if (error === null) checkMessage(message);
    const isTaken = error === null && send(message);
    if (callback !== undefined) process.nextTick(callback, error);
    else if (error !== null) process.nextTick(() => process.emit('error' as never, error as never));
    return isTaken;
  };

  const disconnect = (): void => {
    if (!isConnected) return;
    isConnected = false;
    process.connected = false;
    process.nextTick(() => process.emit('disconnect'));
  };

  define('send', sendMessage);
  define('disconnect', disconnect);
  define('connected', true);
  return {
    deliver: (payload) => {
      if (isConnected) process.emit('message', payload, undefined as never);
    },
  };
}

function define(name: 'send' | 'disconnect' | 'connected', value: unknown): void {
  Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
}

function checkMessage(message: unknown): void {
  if (message === undefined) {
    throw coded(new TypeError('The "message" argument must be specified'), 'ERR_MISSING_ARGS');
  }
  if (!['string', 'object', 'number', 'boolean'].includes(typeof message)) {
    const text = `The "message" argument must be one of type string, object, number, or boolean. Received ${typeof message}`;
    throw coded(new TypeError(text), 'ERR_INVALID_ARG_TYPE');
  }
}

function closedError(): Error {
  return coded(new Error('Channel closed'), 'ERR_IPC_CHANNEL_CLOSED');
}

function coded(error: Error, code: string): Error {
  return Object.assign(error, { code });
}
