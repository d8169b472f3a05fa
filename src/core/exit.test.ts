import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyExit, describeExit, explainExit, isCrash } from './exit.ts';

const observed = { code: null, signal: null, wasOomKilled: false, detail: null } as const;

describe('the classification of an exit', () => {
  it('tells clean, code, signal, out of memory and unknown apart', () => {
    assert.equal(classifyExit({ ...observed, code: 0 }).cause, 'clean');
    assert.equal(classifyExit({ ...observed, code: 7 }).cause, 'code');
    assert.equal(classifyExit({ ...observed, signal: 'SIGTERM' }).cause, 'signal');
    assert.equal(classifyExit({ ...observed, signal: 'SIGKILL', wasOomKilled: true }).cause, 'oom');
    assert.equal(classifyExit({ ...observed, wasOomKilled: true }).cause, 'oom');
    assert.equal(classifyExit(observed).cause, 'unknown');
  });

  it('does not blame memory for a worker that exited by itself while a descendant was killed', () => {
    assert.equal(classifyExit({ ...observed, code: 1, wasOomKilled: true }).cause, 'code');
  });

  it('calls an end our kill only when SIGKILL was what ended it', () => {
    const asked = { cause: 'asked', detail: null } as const;
    const killed = classifyExit({ ...observed, signal: 'SIGKILL' });
    assert.equal(explainExit(killed, asked, true).cause, 'killed');
    assert.equal(explainExit(killed, asked, false).cause, 'signal');
    assert.equal(explainExit(classifyExit({ ...observed, code: 0 }), asked, true).cause, 'clean');
    assert.equal(explainExit(killed, null, false).cause, 'signal');
  });

  it('is a crash unless it was asked for, or was a clean end of a worker that had been ready', () => {
    const asked = { cause: 'asked', detail: null } as const;
    const [clean, code] = [0, 1].map((number) => classifyExit({ ...observed, code: number }));
    assert.ok(clean !== undefined && code !== undefined);
    assert.ok(isCrash(code, null, true));
    assert.ok(isCrash(clean, null, false));
    assert.ok(isCrash(clean, { cause: 'hang', detail: null }, true));
    assert.ok(isCrash(classifyExit({ ...observed, wasOomKilled: true }), asked, true));
    assert.ok(!isCrash(clean, null, true));
    assert.ok(!isCrash(code, asked, true));
    assert.ok(!isCrash(classifyExit({ ...observed, signal: 'SIGKILL' }), asked, true));
  });

  it('says it in words', () => {
    assert.equal(describeExit(classifyExit({ ...observed, code: 7 })), 'exited with code 7');
    assert.equal(describeExit(classifyExit(observed)), 'ended for an unknown reason');
    assert.equal(describeExit(classifyExit({ ...observed, detail: 'ENOENT' })), 'ended: ENOENT');
  });
});
