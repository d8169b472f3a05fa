/** The long answers over HTTP/1.1: `download` and `events`. */
import type { Load } from './load.ts';
import { noteWorker, openConnection } from './requests.ts';

/** What byte `offset` of every download must be; the test apps send the same. */
export const downloadByte = (offset: number): number => offset % 251;

/** One client that downloads the whole body again and again, and looks at every byte. */
export async function runDownload(load: Load): Promise<void> {
  const { ledger } = load;
  while (load.mayBegin()) {
    const id = load.nextId();
    const sentAtMs = ledger.now();
    const connection = openConnection(load);
    let size = 0;
    let wrongAt: number | null = null;
    const outcome = await connection.send(load.write(id), (chunk) => {
      for (const byte of chunk) {
        if (byte !== downloadByte(size)) wrongAt ??= size;
        size += 1;
      }
    });
    connection.close();
    if (outcome.kind === 'lost') {
      ledger.noteLost(id, `${outcome.reason} after ${size > 0 ? 'some' : 'no'} bytes`, sentAtMs, connection.localPort);
      continue;
    }
    const { status, length } = outcome.head;
    ledger.noteStatus(status);
    noteWorker(load, outcome.head.text);
    if (status !== 200) ledger.noteLost(id, `status ${status}`, sentAtMs, connection.localPort);
    else if (wrongAt !== null) ledger.noteLost(id, `wrong byte at ${String(wrongAt)}`, sentAtMs, connection.localPort);
    else if (size !== length) ledger.noteLost(id, `${size} of ${length} bytes`, sentAtMs, connection.localPort);
    else ledger.noteAnswered(sentAtMs);
  }
}

/** One client of server-sent events, which comes back with `Last-Event-ID` as a browser does. */
export async function runEvents(load: Load, client: number): Promise<void> {
  const { ledger } = load;
  let lastId = 0;
  while (load.mayBegin()) {
    const id = load.nextId();
    const sentAtMs = ledger.now();
    const connection = openConnection(load);
    const stop = (): void => connection.close();
    load.stopping.addEventListener('abort', stop);
    let text = '';
    let wrong: string | null = null;
    const headers = `Accept: text/event-stream\r\nLast-Event-ID: ${lastId}\r\n`;
    const outcome = await raceStop(
      load,
      connection.send(load.write(id, headers), (chunk) => {
        text += chunk.toString();
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const number = Number(/^id: (\d+)$/m.exec(event)?.[1]);
          if (number !== lastId + 1) wrong ??= `event ${number} after ${lastId}`;
          lastId = number;
          ledger.answered += 1;
        }
      }),
    );
    load.stopping.removeEventListener('abort', stop);
    if (outcome === 'stopped') return;
    connection.close();
    if (wrong !== null) ledger.noteLost(id, wrong, sentAtMs, connection.localPort);
    else if (outcome.kind === 'answered') {
      ledger.noteStatus(outcome.head.status);
      if (outcome.head.status === 200 && text === '') ledger.noteEnding(client, 'complete');
      else
        ledger.noteLost(
          id,
          text === '' ? `status ${outcome.head.status}` : 'cut in an event',
          sentAtMs,
          connection.localPort,
        );
    } else if (outcome.atBorder && text === '') ledger.noteEnding(client, 'at a border');
    else ledger.noteLost(id, text === '' ? outcome.reason : 'cut in an event', sentAtMs, connection.localPort);
    await load.pause(client);
  }
}

/** A stream without end is over for us when the load is. */
async function raceStop<Value>(load: Load, value: Promise<Value>): Promise<Value | 'stopped'> {
  if (load.isStopping) return 'stopped';
  const stopped = Promise.withResolvers<'stopped'>();
  const onStop = (): void => stopped.resolve('stopped');
  load.stopping.addEventListener('abort', onStop);
  const first = await Promise.race([value, stopped.promise]);
  load.stopping.removeEventListener('abort', onStop);
  return first;
}
