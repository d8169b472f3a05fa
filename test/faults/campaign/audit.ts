/**
 * Nothing happens without a reason: reads what Drover has on record since the last look, and names every end of a worker
 * that nobody brought about and every alarm that was not provoked.
 */
import type { EventDocument, EventType } from '../../../src/protocol/index.ts';
import type { AppUnderLoad } from './app-under-load.ts';
import type { World } from './world.ts';

/** Events that tell of something bad; what only says what goes on is none of them. */
const ALARMS: ReadonlySet<EventType> = new Set([
  'defect',
  'worker-backoff',
  'worker-killed',
  'worker-start-timeout',
  'worker-hung',
  'crash-loop',
  'log-dropped',
  'port-taken',
  'port-vanished',
  'state-restored',
  'state-damaged',
  'state-unwritable',
  'worker-stray',
  'output-lost',
]);
const LIMIT = 2000;

export async function auditApp(
  world: World,
  app: AppUnderLoad,
  provoked: readonly EventType[],
): Promise<readonly string[]> {
  const events = await readSince(world, app);
  const explained = new Set<EventType>(provoked);
  return events.flatMap((event) => {
    const { type, worker, reason, data } = event;
    const pid = Number(data['pid']);
    if (type === 'worker-draining') app.leaving.add(pid);
    const isEnd = type === 'worker-exited' && !app.leaving.has(pid) && !world.deaths.has(pid);
    if ((!isEnd && !ALARMS.has(type)) || explained.has(type)) return [];
    return [`${type} of ${worker ?? app.name} (pid ${pid}) without a reason: ${reason}`];
  });
}

async function readSince(world: World, app: AppUnderLoad): Promise<readonly EventDocument[]> {
  const events: EventDocument[] = [];
  for await (const event of world.client.events({ app: app.name, afterSeq: app.cursor, limit: LIMIT })) {
    if (event.seq > app.cursor) events.push(event);
  }
  app.cursor = Math.max(app.cursor, ...events.map(({ seq }) => seq));
  return events.toSorted((a, b) => a.seq - b.seq);
}

/** The last that Drover has on record of an app, for a reader who wants to know how it came to a violation. */
export async function readLast(world: World, app: AppUnderLoad, limit: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { at, type, worker, reason, data } of world.client.events({ app: app.name, limit })) {
    lines.push(`${at} ${type} ${worker ?? ''} ${reason ?? ''} ${JSON.stringify(data)}`);
  }
  return lines;
}

/** What the daemon's log says of defects since the last look. */
export const auditLog = (world: World): readonly string[] =>
  world
    .readLog()
    .split('\n')
    .filter((line) => /\bdefect\b/.test(line))
    .map((line) => `the daemon's log: ${line}`);
