/**
 * The Unix socket for agents without a channel: behind wrappers descriptors do not pass, so the agent connects and
 * names its spawn. One connection a worker; a later one of the same spawn (the app's server forked) is refused.
 */
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { AgentMessage } from '../protocol/index.ts';
import { openSocketLink, type AgentLink, type LinkListener } from './agent-link.ts';

export interface AgentSocketOptions {
  readonly path: string;
  /** Finds who waits for this spawn; null: nobody, and the connection is closed. */
  readonly claim: (spawnId: string, link: AgentLink, hello: AgentMessage) => LinkListener | null;
}

/** A connection that does not say hello in this time is not an agent of ours. */
const HELLO_WITHIN_MS = 5000;
/** Far more than workers behind wrappers; every user of a worker can reach the socket. */
const MOST_CONNECTIONS = 1024;

export interface AgentSocket {
  /** Makes the socket's file again that somebody has removed. */
  listenAgain(): Promise<void>;
  /** Ends all conversations too: a worker that does not hang up must not keep the daemon. */
  close(): Promise<void>;
}

export const openAgentSocket = async (options: AgentSocketOptions): Promise<AgentSocket> => {
  rmSync(options.path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    greet(socket, options);
  });
  server.maxConnections = MOST_CONNECTIONS;
  const listen = async (): Promise<void> => {
    server.listen(options.path);
    await once(server, 'listening');
    // Workers of other users connect as well; the directory decides who can reach it, the spawn id who is heard.
    chmodSync(options.path, 0o666);
  };
  await listen();
  return {
    listenAgain() {
      // Closing removes the file, so that comes first.
      if (server.listening) server.close();
      return listen();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};

const greet = (socket: Socket, { claim }: AgentSocketOptions): void => {
  let listener: LinkListener | null = null;
  const timer = setTimeout(() => socket.destroy(), HELLO_WITHIN_MS);
  const link = openSocketLink(socket, {
    onMessage(message) {
      // What else was in the same piece after a refusal.
      if (socket.destroyed) return;
      if (listener === null) {
        clearTimeout(timer);
        const spawn = message.type === 'hello' ? message.spawn : null;
        listener = typeof spawn === 'string' ? claim(spawn, link, message) : null;
        if (listener === null) {
          socket.destroy();
          return;
        }
      }
      listener.onMessage(message);
    },
    onGarbage: (detail) => (listener === null ? void socket.destroy() : listener.onGarbage(detail)),
    onClose() {
      clearTimeout(timer);
      listener?.onClose();
    },
  });
};
