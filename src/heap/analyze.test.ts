import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { BadFile } from '../input/index.ts';
import { analyzeSnapshot } from './analyze.ts';

const threads = async (): Promise<number> => (await readdir('/proc/self/task')).length;

describe('analyzing a file', () => {
  it('leaves no thread behind when the file is refused', async () => {
    await using folder = await temporaryFolder('analyze');
    const file = join(folder.path, 'blank.heapsnapshot');
    await writeFile(file, Buffer.alloc(17_000_000, ' '));
    const before = await threads();
    await assert.rejects(analyzeSnapshot(file), BadFile);
    assert.equal(await threads(), before);
  });
});
