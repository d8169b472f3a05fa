import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { compressApart } from './compress.ts';

/** Of zeros: what takes a compressor long enough to be looked at. */
const SOURCE_BYTES = 512 * 1024 * 1024;
const NICENESS = 10;

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-compress-'));
});
after(() => rmSync(root, { recursive: true }));

/** In `/autogroup-12 nice 10`; null where there is none, or it is gone. */
function sessionNiceness(pid: number | 'self'): number | null {
  try {
    return Number(/nice (-?\d+)/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return null;
  }
}

const listChildren = (): number[] => {
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
};

describe('a compressor', () => {
  const skip = existsSync('/proc/self/autogroup') ? false : 'Linux without autogroup';

  it('steps back behind the sessions of workers, and leaves ours where it is', { skip }, async () => {
    const source = join(root, 'source');
    const target = join(root, 'target.gz');
    writeFileSync(source, '');
    truncateSync(source, SOURCE_BYTES);
    const own = sessionNiceness('self');
    const failed = assert.rejects(
      compressApart({ source, target, start: 0, end: SOURCE_BYTES, format: 'gz', niceness: NICENESS }, () => {}),
      /the compressor ended with SIGKILL/,
    );
    const state = { hasEnded: false };
    void failed.finally(() => (state.hasEnded = true)).catch(() => {});
    const findNice = (): number | undefined => listChildren().find((pid) => sessionNiceness(pid) === NICENESS);
    let compressor = findNice();
    while (!state.hasEnded && compressor === undefined) {
      await new Promise(setImmediate);
      compressor = findNice();
    }
    assert.ok(compressor !== undefined, 'it ended without having stepped back');
    assert.equal(sessionNiceness('self'), own);
    process.kill(compressor, 'SIGKILL');
    await failed;
  });
});
