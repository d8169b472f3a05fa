/**
 * The engine's verdict on programs that run: a part of the corpus here, all of it in the campaign `heap-verdict`. Each runs in a
 * process of its own, is put under load, and its three snapshots are judged.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type TemporaryFolder, temporaryFolder } from '../support/temporary.ts';
import { capture } from './capture.ts';
import { judge } from './judge.ts';
import { findHolderLine, listPrograms } from './manifest.ts';
import { SAMPLE } from './sample.ts';

describe('the corpus', () => {
  const programs = listPrograms();

  it('has enough programs, and every pattern', () => {
    const leaking = programs.filter(({ leaks }) => leaks.length > 0);
    assert.ok(leaking.length >= 45, `${leaking.length} leak`);
    assert.ok(programs.length - leaking.length >= 30, `${programs.length - leaking.length} do not`);
    const patterns = new Map<string, number>();
    for (const { leaks } of leaking) {
      for (const pattern of new Set(leaks.flatMap((leak) => leak.patterns))) {
        patterns.set(pattern, (patterns.get(pattern) ?? 0) + 1);
      }
    }
    const named =
      'listeners closures shared-context timers collection array promises async-context buffers streams detached';
    for (const pattern of named.split(' ')) assert.ok((patterns.get(pattern) ?? 0) >= 2, pattern);
  });

  it('knows the line of every holder', () => {
    for (const program of programs) for (const leak of program.leaks) assert.ok(findHolderLine(program, leak) > 0);
  });
});

describe('the verdict on', { concurrency: 2 }, () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder('corpus');
  });
  after(async () => folder?.[Symbol.asyncDispose]());

  for (const program of listPrograms(SAMPLE)) {
    it(`${program.name} is right: ${program.leaks.map(({ patterns }) => patterns[0]).join(' and ') || 'no leak'}`, async () => {
      const { files } = await capture(program, folder.path);
      const judged = await judge(program, files);
      const seen = `${judged.headline}\n${judged.suspects.join('\n')}`;
      assert.ok(judged.isVerdictRight, seen);
      if (!judged.isLeaking) return;
      assert.ok(judged.isHolderRight, seen);
      assert.ok(judged.isPatternRight, seen);
      assert.equal(judged.found, judged.leaks, seen);
    });
  }
});
