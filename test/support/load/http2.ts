/**
 * Mode `http2`: requests as streams over a few sessions without TLS. A stream refused with REFUSED_STREAM was by
 * definition not processed; it is counted apart and sent again, as every HTTP/2 client does.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Load } from './load.ts';

const CLIENTS_PER_SESSION = 4;
const MOST_RETRIES = 20;
/** What a request on a session that has ended fails with: newer Nodes tell it by the stream, older ones throw it. */
const NEVER_SENT: ReadonlySet<string> = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

type Outcome =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'lost'; readonly reason: string };

const sessions = new WeakMap<Load, Map<number, Promise<ClientHttp2Session>>>();

export async function runHttp2(load: Load, client: number): Promise<void> {
  const place = Math.floor(client / CLIENTS_PER_SESSION);
  while (load.mayBegin()) {
    await requestWithRetries(load, place);
    await load.pause(client);
  }
  const session = await sessions.get(load)?.get(place);
  session?.close();
}

async function requestWithRetries(load: Load, place: number): Promise<void> {
  const { ledger } = load;
  const id = load.nextId();
  const sentAtMs = ledger.now();
  let localPort: number | null = null;
  let reason = `refused ${MOST_RETRIES} times`;
  for (let attempt = 0; attempt <= MOST_RETRIES; attempt++) {
    let outcome: Outcome;
    try {
      const session = await obtainSession(load, place);
      localPort = session.socket.localPort ?? null;
      outcome = await request(load, session, id);
    } catch (error) {
      outcome = { kind: 'lost', reason: `connect ${codeOf(error)}` };
    }
    if (outcome.kind === 'refused') {
      ledger.refused += 1;
      continue;
    }
    if (outcome.kind === 'answered') {
      ledger.noteStatus(outcome.status);
      if (outcome.status >= 200 && outcome.status < 300) return ledger.noteAnswered(sentAtMs);
      reason = `status ${outcome.status}`;
    } else reason = outcome.reason;
    break;
  }
  ledger.noteLost(id, reason, sentAtMs, localPort);
}

/** The session of this place, or a new one when the server said goodbye to it. */
async function obtainSession(load: Load, place: number): Promise<ClientHttp2Session> {
  let places = sessions.get(load);
  if (places === undefined) sessions.set(load, (places = new Map()));
  const known = places.get(place);
  if (known !== undefined) {
    const session = await known;
    if (!session.closed && !session.destroyed) return session;
    // Another client of this place may have replaced it while we waited.
    const current = places.get(place);
    if (current !== undefined && current !== known) return current;
  }
  const fresh = openSession(load);
  places.set(place, fresh);
  try {
    return await fresh;
  } catch (error) {
    places.delete(place);
    throw error;
  }
}

async function openSession(load: Load): Promise<ClientHttp2Session> {
  const { host, port } = load.spec;
  load.ledger.opened += 1;
  return new Promise((resolve, reject) => {
    const session = connect(`http://${host}:${port}`);
    session.once('connect', () => resolve(session));
    session.once('error', reject);
    // Each stream reports what happened to it; the session's own error would only repeat that.
    session.on('error', () => {});
  });
}

async function request(load: Load, session: ClientHttp2Session, id: string): Promise<Outcome> {
  const { spec, ledger } = load;
  return new Promise((resolve) => {
    const headers = { ':path': spec.path, ...(spec.sendsIds ? { 'x-request-id': id } : {}) };
    let stream: ReturnType<ClientHttp2Session['request']>;
    try {
      stream = session.request(headers);
    } catch {
      // The server's goodbye arrived since we looked: nothing has been sent, so nothing is lost and nothing refused.
      return resolve({ kind: 'refused' });
    }
    let status = 0;
    let size = 0;
    let isComplete = false;
    let failure: string | null = null;
    stream.setTimeout(spec.timeoutMs, () => {
      failure ??= 'timeout';
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('response', (head) => {
      status = Number(head[':status']);
      const worker = head['x-worker'];
      if (typeof worker === 'string') ledger.noteWorker(worker);
    });
    stream.on('data', (chunk: Buffer) => void (size += chunk.length));
    stream.on('end', () => void (isComplete = true));
    stream.on('error', (error) => void (failure ??= codeOf(error)));
    stream.on('close', () => {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return resolve({ kind: 'refused' });
      if (NEVER_SENT.has(failure ?? '')) return resolve({ kind: 'refused' });
      const isWhole = isComplete && status > 0 && size > 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (isWhole) return resolve({ kind: 'answered', status });
      const when = status === 0 ? 'before the response' : 'in the response';
      resolve({ kind: 'lost', reason: `${failure ?? `reset with ${stream.rstCode}`} ${when}` });
    });
  });
}

const codeOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
