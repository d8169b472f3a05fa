/** Commands whose reader goes away (`drover apply | grep -q shop`): each still ends with the code of what it did. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openDrover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import { fixture, openPlace, service, startApp, writeConfig } from '../support/service.ts';

/** Closes the stream once it has said something; resolves with the exit code. */
const endAfterFirstLine = async (child: ChildProcess): Promise<number | NodeJS.Signals> => {
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  child.stderr?.resume();
  if (child.stdout !== null) {
    await once(child.stdout, 'data');
    child.stdout.destroy();
  }
  const [code, signal] = await ended;
  return code ?? signal ?? -1;
};

const one = (port: number) => service(port, { instances: 1 });

describe('a reader that goes away', () => {
  it('after the plan of an `apply` does not turn its failure into success', async () => {
    await using place = await openPlace();
    const { drover, port } = place;
    const file = writeConfig(drover, { shop: one(port) });
    await drover.start([file]);
    writeConfig(drover, { shop: { ...one(port), script: fixture('throws-at-start.cjs') } });
    assert.equal(await endAfterFirstLine(drover.spawn(['apply', file])), 1);
  });

  it('of `run` with several apps leaves them running, to the end and its code', async () => {
    await using drover = await openDrover();
    const script = join(drover.home, 'talks.cjs');
    const lines = `let n = 0; setInterval(() => { console.log(++n); if (n === 20) process.exit(Number(process.env.CODE)); }, 20);`;
    await writeFile(script, lines);
    const app = { script, restart: { policy: 'never' }, env: { CODE: '7' } };
    const config = join(drover.home, 'drover.config.json');
    await writeFile(config, JSON.stringify({ apps: { a: app, b: app } }));
    assert.equal(await endAfterFirstLine(drover.spawn(['run', config])), 7);
  });

  it('of stderr is no crash', async () => {
    await using place = await openPlace();
    await startApp(place.drover, 'shop', one(place.port));
    const child = place.drover.spawn(['show', 'nobody']);
    const ended = once(child, 'exit');
    child.stderr?.destroy();
    assert.deepEqual(await ended, [3, null]);
  });

  it('of `logs -f` and `events -f` ends them, with 0', async () => {
    await using place = await openPlace();
    const { drover } = place;
    const script = join(drover.home, 'talks.cjs');
    await writeFile(script, `setInterval(() => console.log('hello'), 20);`);
    await drover.start([script]);
    assert.equal(await endAfterFirstLine(drover.spawn(['logs', '-f'])), 0);
    const events = drover.spawn(['events', '-f']);
    const ended = endAfterFirstLine(events);
    // It hears of the closed reader when there is something to tell.
    await eventually('it has ended', async () => {
      await drover.run(['restart', 'talks']);
      return events.exitCode !== null || events.signalCode !== null;
    });
    assert.equal(await ended, 0);
  });
});
