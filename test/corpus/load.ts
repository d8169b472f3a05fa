/** Sends a program's load over real connections: HTTP requests with kept-alive sockets, or WebSockets that come and go. */
import { Agent, request as sendRequest } from 'node:http';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ProgramLoad, ProgramRequest } from './manifest.ts';

const CONCURRENCY = 6;
const BOUND_MS = 20_000;

export class Load {
  readonly #port: number;
  readonly #load: ProgramLoad;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  #rounds = 0;

  constructor(port: number, load: ProgramLoad) {
    this.#port = port;
    this.#load = load;
  }

  /** `count` more rounds, which go on counting where the last ones ended. */
  async send(count: number): Promise<void> {
    const end = this.#rounds + count;
    const lane = async (): Promise<void> => {
      while (this.#rounds < end) await this.#round(this.#rounds++);
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #round(round: number): Promise<void> {
    for (const request of this.#load.requests ?? []) await this.#request(request, round);
    const { sockets } = this.#load;
    if (sockets !== undefined) await this.#visit(fill(sockets.path, round), sockets.messages, round);
  }

  /** Once more over a new socket when the kept one was closed meanwhile: writing a snapshot takes longer than a server waits. */
  async #request(request: ProgramRequest, round: number): Promise<void> {
    try {
      await this.#try(request, round);
    } catch (error) {
      if (!(error instanceof ClosedMeanwhile)) throw error;
      await this.#request(request, round);
    }
  }

  #try({ method = 'GET', path, headers = {}, body }: ProgramRequest, round: number): Promise<void> {
    const content = body === undefined ? undefined : fillBody(body, round);
    return new Promise((resolve, reject) => {
      const request = sendRequest({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method,
        path: fill(path, round),
        timeout: BOUND_MS,
        headers: {
          ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': content.length }),
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value, round)])),
        },
      });
      request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${path}`)));
      request.on('error', (error) => reject(request.reusedSocket ? new ClosedMeanwhile() : error));
      request.on('response', (response) => {
        response.resume();
        response.on('error', reject);
        response.on('end', resolve);
        const { statusCode = 0 } = response;
        if (statusCode >= 500) reject(new Error(`${method} ${path} was answered with ${statusCode}`));
      });
      request.end(content);
    });
  }

  async #visit(path: string, messages: readonly unknown[], round: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}${path}`);
    const signal = AbortSignal.timeout(BOUND_MS);
    await once(socket, 'open', { signal });
    for (const message of messages) {
      const answered = once(socket, 'message', { signal });
      socket.send(fill(JSON.stringify(message), round));
      await answered;
    }
    socket.close();
    await once(socket, 'close', { signal });
  }
}

class ClosedMeanwhile extends Error {}

const fill = (text: string, round: number): string =>
  text.replaceAll(/\{n(?:%(\d+))?\}/g, (_whole, modulus: string | undefined) =>
    String(modulus === undefined ? round : round % Number(modulus)),
  );

function fillBody(body: unknown, round: number): Buffer {
  const bytes = typeof body === 'string' ? /^\{(\d+)\}$/.exec(body)?.[1] : undefined;
  if (bytes !== undefined) return Buffer.alloc(Number(bytes), round % 251);
  return Buffer.from(fill(typeof body === 'string' ? body : JSON.stringify(body), round));
}
