import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { categorize, findPackage } from './categorize.ts';

describe('the category of a function', () => {
  it('follows from its name and place', () => {
    // Names and places as profiles of Node 20 to 26 and perf have them.
    const rows: readonly [name: string, url: string, line: number, category: string][] = [
      ['(garbage collector)', '', 0, 'gc'],
      ['Garbage Collection', '', 0, 'gc'],
      ['Non JS threads activity', '', 0, 'program'],
      ['(idle)', '', 0, 'idle'],
      ['(program)', '', 0, 'program'],
      ['RegExp: ^(a+)+$', '', 0, 'regexp'],
      ['JSON.parse', '', 0, 'json'],
      ['Builtins_JsonParse', '', 0, 'json'],
      ['v8::internal::JsonParser<unsigned char>::ParseJson', '', 0, 'json'],
      ['v8::internal::(anonymous namespace)::RawMatch<unsigned char>', '', 0, 'regexp'],
      ['Builtins_RegExpPrototypeTest', '', 0, 'regexp'],
      ['v8::internal::Scavenger::Process', '', 0, 'gc'],
      ['v8::internal::compiler::PipelineImpl::Run', '', 0, 'compilation'],
      ['sha256_block_data_order_shaext', '', 0, 'crypto'],
      ['node::crypto::Hash::HashUpdate', '', 0, 'crypto'],
      ['node::fs::ReadFileUtf8', '', 0, 'native'],
      ['writeFileUtf8', '', 0, 'native'],
      ['compileFunction', '', 0, 'compilation'],
      ['', '', 12, 'application'],
      ['scryptSync', 'node:internal/crypto/scrypt', 65, 'crypto'],
      ['update', 'node:internal/crypto/hash', 146, 'crypto'],
      ['readFileSync', 'node:fs', 440, 'node'],
      ['cryptic', 'node:internal/cryptic', 1, 'node'],
      ['Script', 'node:vm', 85, 'compilation'],
      ['wrapSafe', 'node:internal/modules/cjs/loader', 1819, 'compilation'],
      ['Module._load', 'node:internal/modules/cjs/loader', 1000, 'module-loading'],
      ['compileForInternalLoader', 'node:internal/bootstrap/realm', 383, 'compilation'],
      ['handler', 'file:///app/src/cart.ts', 3, 'application'],
      ['handler', '/app/node_modules/express/lib/router.js', 3, 'dependency'],
      ['malloc', '/usr/lib/libc.so.6', 0, 'native'],
      ['', 'evalmachine.<anonymous>', 1, 'application'],
    ];
    for (const [name, url, line, category] of rows)
      assert.equal(categorize({ name, url, line }, 'native'), category, `${name} ${url}`);
    assert.equal(categorize({ name: 'work', url: '', line: 0 }, 'application'), 'application');
  });
});

describe('the package of a file', () => {
  it('is the one behind the last node_modules, in every layout', () => {
    const rows: readonly [url: string, name: string | null][] = [
      ['/app/src/a.js', null],
      ['file:///app/node_modules/express/lib/a.js', 'express'],
      ['/app/node_modules/@fastify/ajv/index.js', '@fastify/ajv'],
      ['/app/node_modules/a/node_modules/b/index.js', 'b'],
      ['/app/node_modules/.pnpm/express@5.1.0/node_modules/express/a.js', 'express'],
      ['/app/node_modules/.pnpm/@a+b@1.0.0_c@2/node_modules/@a/b/x.js', '@a/b'],
      ['/app/node_modules/.pnpm/@a+b@1.0.0/x.js', '@a/b'],
      ['/app/.yarn/cache/ms-npm-2.1.3-81ff.zip/node_modules/ms/index.js', 'ms'],
      ['C:\\app\\node_modules\\ms\\index.js', 'ms'],
      ['/app/node_modules/.cache/x.js', null],
      ['node:fs', null],
      ['', null],
    ];
    for (const [url, name] of rows) assert.equal(findPackage(url), name, url);
  });
});
