/** The modes that ask and wait for an answer over HTTP/1.1: `new`, `kept`, `post`, `open`. */
import { Connection } from './connection.ts';
import type { Load } from './load.ts';
import { findHeader } from './response-parser.ts';

/** One client that keeps its connection as long as the server lets it. */
export async function runKept(load: Load, client: number): Promise<void> {
  let connection: Connection | null = null;
  while (load.mayBegin()) {
    const isNew: boolean = connection === null || !connection.isUsable;
    if (connection === null || isNew) connection = openConnection(load);
    await request(load, connection, isNew, load.ledger.now());
    await load.pause(client);
  }
  connection?.close();
}

/** One client that opens a connection for each request. */
export async function runNew(load: Load, client: number): Promise<void> {
  while (load.mayBegin()) {
    await requestAnew(load, load.ledger.now());
    await load.pause(client);
  }
}

/** Begins `rate` requests a second on new connections, whether answers come or not. */
export async function runOpen(load: Load): Promise<void> {
  const { rate } = load.spec;
  const open = new Set<Promise<void>>();
  let begun = 0;
  while (!load.isStopping) {
    const due = Math.floor((load.ledger.now() / 1000) * rate);
    while (begun < due && load.mayBegin()) {
      // Latency counts from when the request was due, so that a load that falls behind cannot hide a slow server.
      const one = requestAnew(load, (begun / rate) * 1000);
      begun += 1;
      open.add(one);
      void one.then(() => open.delete(one));
    }
    if (load.ledger.begun >= load.spec.maxRequests) break;
    await load.wait(2);
  }
  await Promise.all(open);
}

async function requestAnew(load: Load, sentAtMs: number): Promise<void> {
  const connection = openConnection(load);
  await request(load, connection, true, sentAtMs);
  connection.close();
}

async function request(load: Load, connection: Connection, isNew: boolean, sentAtMs: number): Promise<void> {
  const { spec, ledger } = load;
  const id = load.nextId();
  let size = 0;
  // Only an upload's answer is looked at: it says how much has arrived.
  const answer: Buffer[] = [];
  const outcome = await connection.send(load.write(id), (chunk) => {
    size += chunk.length;
    if (spec.mode === 'post') answer.push(Buffer.from(chunk));
  });
  if (outcome.kind === 'lost') return ledger.noteLost(id, outcome.reason, sentAtMs, connection.localPort);
  const { status, text } = outcome.head;
  ledger.noteStatus(status);
  if (isNew) noteWorker(load, text);
  if (status < 200 || status > 299) return ledger.noteLost(id, `status ${status}`, sentAtMs, connection.localPort);
  if (spec.mode === 'post' && Buffer.concat(answer).toString() !== String(spec.bodyBytes)) {
    return ledger.noteLost(id, 'upload arrived incomplete', sentAtMs, connection.localPort);
  }
  if (size === 0) return ledger.noteLost(id, 'empty answer', sentAtMs, connection.localPort);
  ledger.noteAnswered(sentAtMs);
}

export function openConnection(load: Load): Connection {
  const { host, port, timeoutMs } = load.spec;
  load.ledger.opened += 1;
  const onClosedIdle = (): void => void (load.ledger.closedIdle += 1);
  return new Connection({ host, port, timeoutMs, onClosedIdle });
}

export function noteWorker(load: Load, head: string): void {
  const worker = findHeader(head, 'x-worker');
  if (worker !== undefined) load.ledger.noteWorker(worker);
}
