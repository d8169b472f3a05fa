/** What is shared gives nothing away: no answer about a redacted snapshot has a secret in it, on any Node. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type HeapAnswers, type HeapJob, runHeapJob } from '../../src/heap/index.ts';
import { listNodes } from '../support/nodes.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { runProgram } from './support/snapshots.ts';

const tools = { onProgress: () => {} };
const SECRET = /SECRET\w*/g;

describe('a redacted answer', () => {
  let folder: TemporaryFolder;
  before(async () => {
    folder = await temporaryFolder('drover-redact');
  });
  after(async () => folder[Symbol.asyncDispose]());

  for (const node of listNodes())
    it(`about a snapshot of ${node.name} has no secret in it, and still says what is needed`, async () => {
      const files = [1, 2, 3].map((number) => join(folder.path, `${node.major}-${number}.heapsnapshot`));
      const [file = ''] = files;
      await runProgram('secrets-app.mjs', files, node.path);
      const jobs = (isRedacted: boolean): HeapJob[] => {
        const of = { file, isRedacted, usesSourceMaps: true, root: null } as const;
        const all = { id: null, className: null, minBytes: 0, retainedBy: null, top: null } as const;
        return [
          { kind: 'analyze', wantsCharts: true, ...of },
          { kind: 'strings', top: null, ...of },
          { kind: 'query', ...of, ...all },
          { kind: 'paths', ...of, ...all, className: '(string)' },
          { kind: 'diff', wantsCharts: true, load: null, files, isRedacted, usesSourceMaps: true, root: null },
        ];
      };
      const answers = async (isRedacted: boolean): Promise<string[]> =>
        Promise.all(jobs(isRedacted).map(async (job) => JSON.stringify(await runHeapJob(job, tools))));
      for (const [at, plain] of (await answers(false)).entries())
        assert.ok((plain.match(SECRET) ?? []).length > 0, `job ${at} shows secrets when it is not redacted`);
      const redacted = await answers(true);
      for (const [at, answer] of redacted.entries())
        assert.deepEqual(answer.match(SECRET), null, `job ${at} of Node ${node.major}`);
      assert.match(redacted[0] ?? '', /"CustomerStore"/);
      // The verdict is the same one.
      const verdict = JSON.parse(redacted[4] ?? '') as HeapAnswers['diff'];
      assert.equal(verdict.document.verdict, 'leak');
      assert.match(verdict.document.suspects.map(({ holder }) => holder).join('; '), /sessionsByToken|notes|byEmail/);
      // Names of the code stay, or nobody could find the place.
      assert.match(redacted[3] ?? '', /\.sessionsByToken/);
      assert.match(redacted[3] ?? '', /‹\d+ characters #[0-9a-f]{6}›/);
    });
});
