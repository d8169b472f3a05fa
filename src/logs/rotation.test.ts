import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { archivePath } from './archive-name.ts';
import type { ArchivedFile } from './archive-name.ts';
import { removeBelow } from './removal.ts';
import { recoverFile, rotate } from './rotation.ts';
import type { RotationRequest, RotationTools } from './rotation.ts';

let root = '';
let files = 0;
before(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-rotation-'));
});
after(() => rmSync(root, { recursive: true }));

const BLOCK = 4096;
const SIZE = 16 * BLOCK;

const newFile = (): ArchivedFile => {
  files += 1;
  const directory = join(root, String(files));
  mkdirSync(join(directory, 'archive'), { recursive: true });
  const path = join(directory, '0.1.out.log');
  writeFileSync(path, 'an old line\n'.repeat(SIZE));
  truncateSync(path, SIZE);
  return { path, stem: '0.1.out', archiveDirectory: join(directory, 'archive'), indexPath: null };
};

const request = (file: ArchivedFile): RotationRequest => ({
  file,
  range: { start: 0, end: SIZE },
  format: 'zst',
  niceness: 0,
  isWhole: false,
  isOutdated: () => false,
  isCalledOff: () => false,
});

const tools: RotationTools = {
  compress: async ({ target }) => writeFileSync(target, 'an archive'),
  punch: () => true,
  onStep: () => {},
};

const NEW = 'a new line\n'.repeat(SIZE);
/** Its writer goes on at once, beyond where it was. */
const empty = ({ path }: ArchivedFile): void => writeFileSync(path, NEW);

describe('a file that is emptied', () => {
  it('has no archive of what was in it, even where that gets its name while its archives are removed', async () => {
    const file = newFile();
    let looks = 0;
    // As when the name appears after the names were listed: the last look before the rename found nothing.
    const isOutdated = (): boolean => {
      looks += 1;
      if (looks === 2) empty(file);
      return looks >= 2;
    };
    assert.equal(await rotate({ ...request(file), isOutdated }, tools), false);
    assert.ok(looks >= 2);
    assert.deepEqual(readdirSync(file.archiveDirectory), []);
    assert.equal(readFileSync(file.path, 'utf8'), NEW);
  });

  it('loses nothing of what comes then to a removal that was decided before', async () => {
    const file = newFile();
    let isOutdated = false;
    const tool = {
      punch: () => assert.fail('it frees what is new'),
      onStep: () => {},
      isOutdated: () => isOutdated,
    };
    const removal = removeBelow(file, SIZE / 2, tool);
    isOutdated = true;
    empty(file);
    await removal;
    assert.deepEqual(readdirSync(file.archiveDirectory), [], 'no mark says that it is gone');
    assert.equal(readFileSync(file.path, 'utf8'), NEW);
  });

  it('loses nothing of what comes then to what an earlier daemon has left to be done', async () => {
    const file = newFile();
    writeFileSync(archivePath(file, { start: 0, end: SIZE }, 'zst'), 'an archive');
    // Freed, and yet to be freed again: the daemon before this one died in between.
    writeFileSync(file.path, Buffer.alloc(SIZE));
    let isOutdated = false;
    const recovery = recoverFile(
      file,
      () => assert.fail('it frees what is new'),
      () => isOutdated,
    );
    isOutdated = true;
    empty(file);
    await recovery;
    assert.equal(readFileSync(file.path, 'utf8'), NEW);
  });
});

describe('a rotation', () => {
  it('that the end of its daemon calls off leaves what is recorded to the next one', async () => {
    const file = newFile();
    let isCalledOff = false;
    const onStep: RotationTools['onStep'] = (step) => {
      if (step === 'recorded') isCalledOff = true;
    };
    const punch = (): boolean => assert.fail('the next one does');
    const rotation = rotate({ ...request(file), isCalledOff: () => isCalledOff }, { ...tools, punch, onStep });
    assert.equal(await rotation, false);
    assert.deepEqual(readdirSync(file.archiveDirectory), [`0.1.out.0-${SIZE}.zst`]);
  });
});
