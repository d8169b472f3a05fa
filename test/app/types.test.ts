/** `drover/app` in TypeScript, as it ships: by `import` and by `require`, checked with the library's own declarations. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { listNodes } from '../support/nodes.ts';
import { linkPackage, ROOT, SERVERS } from './support/program.ts';

const run = promisify(execFile);
const TYPES = join(SERVERS, 'types');
const { NODE_TEST_CONTEXT: _outer, NODE_OPTIONS: _options, ...ENV } = process.env;

describe('drover/app in TypeScript', () => {
  before(linkPackage);

  for (const module of ['node16', 'node20', 'nodenext']) {
    it(`has types for both kinds of modules (${module})`, async () => {
      const args = ['-p', join(TYPES, 'tsconfig.json'), '--module', module];
      const { stdout } = await run(join(ROOT, 'node_modules', '.bin', 'tsc'), args).catch(
        (error: { stdout: string }) => error,
      );
      assert.equal(stdout, '');
    });
  }

  for (const node of listNodes().filter(({ runsTypeScript }) => runsTypeScript)) {
    it(`runs from source on ${node.name}`, async () => {
      const module = await run(node.path, [join(TYPES, 'everything.mts')], { env: ENV });
      assert.deepEqual(JSON.parse(module.stdout), [null, '3', 0, 'stopped', 0, 'healthy']);
    });
  }
});
