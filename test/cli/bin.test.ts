/** `bin/drover` cannot load the catalogue on an old Node, so it has two of its errors by heart. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DroverError, type ErrorCode } from '../../src/protocol/index.ts';

const source = await readFile(join(import.meta.dirname, '..', '..', 'bin', 'drover'), 'utf8');

describe('the errors that bin/drover knows by heart', () => {
  const known: readonly (readonly [ErrorCode, Record<string, string>])[] = [
    ['DROVER_PLATFORM', { platform: 'win32' }],
    ['DROVER_NODE_TOO_OLD', { version: '${process.versions.node}' }],
  ];
  for (const [code, data] of known) {
    it(`say of ${code} what the catalogue says`, () => {
      const error = new DroverError(code, data);
      assert.ok(source.includes(code), code);
      assert.ok(source.includes(error.message), error.message);
      assert.ok(source.includes(error.hint ?? ''), error.hint ?? '');
    });
  }
});
