/**
 * The daemon dies between the moment it reads a command's request and the moment the answer has left: the command asks
 * the next daemon again with the key of its request, and one operation comes of it.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ErrorDocument, OperationDocument, OperationListDocument } from '../../src/protocol/index.ts';
import type { Drover } from '../support/drover.ts';
import { freePort } from '../support/temporary.ts';
import {
  ask,
  change,
  openPlace,
  type Place,
  pidsOf,
  read,
  readApp,
  refusalAt,
  service,
  type Settings,
  startApp,
  untilApp,
  writeConfig,
} from '../support/service.ts';

/** Where the daemon dies, and whether the operation is on record by then: only such a one is resumed. */
const STEPS = [
  { step: 'request-received', isRecorded: false },
  { step: 'shop operation-begun', isRecorded: false },
  { step: 'shop operation-recorded', isRecorded: true },
  { step: 'request-answered', isRecorded: true },
] as const;
type Step = (typeof STEPS)[number]['step'];

interface MortalPlace extends Place {
  /** The daemon kills itself when it next comes to this step. */
  readonly dieAt: (step: Step | 'one operation-recorded') => void;
}

const openMortal = async (): Promise<MortalPlace> => {
  const place = await openPlace();
  const wish = join(place.drover.home, 'die-at');
  const { code, stderr } = await place.drover.run(['daemon', 'start'], { env: { DROVER_DIE_AT: wish } });
  assert.equal(code, 0, stderr);
  return { ...place, dieAt: (step) => writeFileSync(wish, step) };
};

const operationsOf = async (drover: Drover, app: string): Promise<readonly OperationDocument[]> =>
  (await read<OperationListDocument>(drover, `/v1/operations?app=${app}`)).operations;

interface Case {
  /** What the command is, for the n-th time. */
  readonly args: (place: Place, round: number) => readonly string[];
  /** What the operation is called, where it is not the command. */
  readonly kind?: string;
  /** Before each round: what must be so for the command to have something to do. */
  readonly prepare: (place: Place) => Promise<unknown>;
  readonly check?: (place: Place, round: number) => Promise<void>;
}

const shop = ({ port }: Place, more: Settings = {}): Settings => service(port, { instances: 1, ...more });
const isUp = async (place: Place): Promise<void> => {
  await startApp(place.drover, 'shop', shop(place));
};
const once = (work: (place: Place) => Promise<unknown>): ((place: Place) => Promise<unknown>) => {
  let isDone = false;
  return async (place) => {
    if (!isDone) await work(place);
    isDone = true;
  };
};
const forget = async ({ drover }: Place): Promise<void> => {
  await drover.run(['delete', 'shop']);
};

const CASES: Readonly<Record<string, Case>> = {
  start: { args: (place) => ['start', writeConfig(place.drover, { shop: shop(place) }, 'shop')], prepare: forget },
  reload: { args: () => ['reload', 'shop'], prepare: once(isUp) },
  restart: { args: () => ['restart', 'shop'], prepare: once(isUp) },
  scale: {
    // Relative: carried out twice it would be seen.
    args: (_place, round) => ['scale', 'shop', round % 2 === 0 ? '+1' : '-1'],
    prepare: once(isUp),
    check: async ({ drover }, round) =>
      assert.equal((await readApp(drover, 'shop')).instances, round % 2 === 0 ? 2 : 1),
  },
  apply: {
    args: (place, round) => [
      'apply',
      writeConfig(place.drover, { shop: shop(place, { env: { ROUND: String(round) } }) }, 'shop'),
    ],
    kind: 'reload',
    prepare: once(isUp),
  },
  stop: {
    args: () => ['stop', 'shop'],
    prepare: isUp,
    check: async ({ port }) => assert.equal(await refusalAt(port), 'ECONNREFUSED'),
  },
  delete: {
    args: () => ['delete', 'shop'],
    prepare: isUp,
    check: async ({ drover }) => assert.equal((await drover.run(['show', 'shop'])).code, 3),
  },
};

describe('a daemon that is killed while it answers the command', () => {
  for (const [name, { args, kind = name, prepare, check }] of Object.entries(CASES)) {
    it(`${name}, at any step: one operation, and the command ends well`, async () => {
      await using place = await openMortal();
      const { drover, dieAt } = place;
      for (const [round, { step, isRecorded }] of STEPS.entries()) {
        await prepare(place);
        const before = (await drover.daemon()).pid;
        const known = new Set((await operationsOf(drover, 'shop').catch(() => [])).map(({ id }) => id));
        dieAt(step);
        const { code, receipt } = await change(drover, args(place, round));
        assert.notEqual((await drover.daemon()).pid, before, `it died at ${step}`);
        assert.deepEqual([step, code, receipt.outcome], [step, 0, 'completed']);
        const begun = (await operationsOf(drover, 'shop')).filter(({ id }) => !known.has(id));
        assert.deepEqual(
          begun.map((operation) => [operation.id, operation.kind]),
          [[receipt.operation, kind]],
          `one operation came of it at ${step}`,
        );
        const isResumed = receipt.steps.some((each) => each.name === 'resumed');
        assert.equal(isResumed, isRecorded, `the receipt says whether it was interrupted at ${step}`);
        await check?.(place, round);
      }
    });
  }

  it('for several apps, after the first of them: each is changed once', async () => {
    await using place = await openMortal();
    const { drover, port, dieAt } = place;
    const apps = { one: service(port, { instances: 1 }), two: service(await freePort(), { instances: 1 }) };
    await drover.start([writeConfig(drover, apps)]);
    const pids = async (): Promise<number[]> => [
      ...pidsOf(await readApp(drover, 'one')),
      ...pidsOf(await readApp(drover, 'two')),
    ];
    const before = await pids();
    dieAt('one operation-recorded');
    const { code, stdout } = await drover.run(['reload', 'all', '--json']);
    assert.equal(code, 0);
    assert.equal((JSON.parse(stdout) as { receipts: unknown[] }).receipts.length, 2);
    for (const app of ['one', 'two']) {
      await untilApp(drover, app, 'is online', ({ status }) => status === 'online');
      const reloads = (await operationsOf(drover, app)).filter(({ kind }) => kind === 'reload');
      assert.equal(reloads.length, 1, `${app} was reloaded once`);
    }
    const after = await pids();
    assert.deepEqual([after.length, after.filter((pid) => before.includes(pid))], [2, []]);
  });
});

interface Posted {
  readonly status: number;
  readonly body: OperationListDocument & Partial<ErrorDocument>;
}

const post = async (drover: Drover, path: string, key: string, body: unknown = null): Promise<Posted> => {
  const { promise, resolve, reject } = Promise.withResolvers<Posted>();
  const sent = request(
    {
      socketPath: join(drover.home, 'drover.sock'),
      method: 'POST',
      path,
      agent: false,
      headers: { 'idempotency-key': key },
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Posted['body'] }));
    },
  );
  sent.on('error', reject);
  sent.end(body === null ? undefined : JSON.stringify(body));
  return promise;
};

describe('a request with a key', () => {
  it('is carried out once: at the same time, later, and by the next daemon; for another request the key is refused', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await isUp(place);
    const grow = async (): Promise<Posted> => post(drover, '/v1/apps/shop/scale', '"grow-1"', { by: 1 });
    const [first, same] = await Promise.all([grow(), grow()]);
    const id = first.body.operations[0]?.id;
    assert.deepEqual([first.status, same.status, same.body.operations[0]?.id], [200, 200, id]);
    assert.equal((await drover.run(['operation', id ?? ''])).code, 0);
    const later = await grow();
    assert.deepEqual([later.body.operations[0]?.id, later.body.operations[0]?.status], [id, 'done']);
    await drover.killDaemon();
    assert.equal((await grow()).body.operations[0]?.receipt?.operation, id, 'with its receipt');
    await untilApp(drover, 'shop', 'has two workers', ({ workers }) => workers.length === 2);

    const other = await post(drover, '/v1/apps/shop/scale', '"grow-1"', { by: 2 });
    assert.deepEqual([other.status, other.body.error?.code], [422, 'DROVER_KEY_REUSED']);
    const elsewhere = await post(drover, '/v1/apps/shop/stop', 'grow-1');
    assert.deepEqual([elsewhere.status, elsewhere.body.error?.code], [422, 'DROVER_KEY_REUSED']);
    assert.equal((await readApp(drover, 'shop')).instances, 2);
    assert.equal((await ask(place.port)).status, 200);
  });

  it('that asked for everything there was does not begin anything for what came later', async () => {
    await using place = await openPlace();
    const { drover } = place;
    await isUp(place);
    const all = async (): Promise<Posted> => post(drover, '/v1/apps/all/reload', 'all-1', { callerEnv: null });
    const [first] = (await all()).body.operations;
    assert.equal((await drover.run(['operation', first?.id ?? ''])).code, 0);
    await startApp(drover, 'late', service(await freePort(), { instances: 1 }));
    assert.deepEqual(
      (await all()).body.operations.map(({ id }) => id),
      [first?.id],
    );
    assert.deepEqual(
      (await operationsOf(drover, 'late')).map(({ kind }) => kind),
      ['start'],
    );
  });
});
