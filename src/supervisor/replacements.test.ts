import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { App } from './app.ts';
import { replaceOthers } from './replacements.ts';

type Outcome = 'completed' | 'failed';

/** An app with one slot whose worker is of another release, until an operation of ours completes. */
class OddApp {
  readonly app = 'shop';
  readonly state = { release: 2 };
  readonly slotNumbers = [0];
  isWanted = true;
  isOther = true;
  operation: { ended: Promise<unknown>; end: (outcome: Outcome) => void } | null = null;
  begun = 0;
  readonly waits: (() => void)[] = [];
  readonly slots = { isVacant: () => false, isOfAnother: () => this.isOther };
  readonly edges = {
    schedule: {
      after: (_ms: number, call: () => void) => {
        this.waits.push(call);
        return () => {};
      },
    },
  };

  /** Ours, or, with `change`, one that somebody asked for. */
  begin(): NonNullable<OddApp['operation']> {
    assert.equal(this.operation, null, 'DROVER_BUSY');
    this.begun += 1;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const end = (outcome: Outcome): void => resolve({ receipt: { outcome } });
    const ended = promise.then((document) => {
      this.operation = null;
      return document;
    });
    this.operation = { ended, end };
    return this.operation;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('workers of another release that a failed change has left', () => {
  const newApp = () => {
    const odd = new OddApp();
    // Of an app, this needs no more.
    return { odd, app: odd as unknown as App };
  };

  it('are replaced also where another operation ran when it was to be tried again', async () => {
    const { odd, app } = newApp();
    const replacing = replaceOthers(app);
    odd.operation?.end('failed');
    await turn();
    assert.equal(odd.waits.length, 1, 'it waits before it tries again');
    const asked = odd.begin();
    odd.waits.pop()?.();
    await turn();
    asked.end('completed');
    await turn();
    assert.equal(odd.begun, 3);
    odd.operation?.end('completed');
    await replacing;
  });

  it('are looked after once, however many changes fail, and no more when they are gone or the app is to stop', async () => {
    const { odd, app } = newApp();
    const first = replaceOthers(app);
    const second = replaceOthers(app);
    await second;
    assert.equal(odd.begun, 1);
    odd.operation?.end('failed');
    await turn();
    odd.isWanted = false;
    odd.waits.pop()?.();
    await first;
    odd.isWanted = true;
    const third = replaceOthers(app);
    assert.equal(odd.begun, 2, 'the one that ended keeps no later one away');
    odd.operation?.end('failed');
    await turn();
    odd.isOther = false;
    odd.waits.pop()?.();
    await third;
    assert.equal(odd.begun, 2);
  });
});
