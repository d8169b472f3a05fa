import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readV8LogChunks, type V8Log } from './v8-log.ts';

const read = (text: string): Promise<V8Log> =>
  readV8LogChunks(
    (async function* () {
      yield Buffer.from(text);
    })(),
    'v8.log',
  );

// As Node 20 to 26 write it; places and addresses shortened.
const LOG = `v8-version,13,6,233,17,-node.53,0
new,MemoryChunk,0x1000,262144
code-creation,Builtin,2,100,0x500,10,ArrayMap
code-creation,JS,10,200,0x1000,100,mega /app/a.js:2:14,0x99,~
code-creation,JS,13,300,0x9000,200,add /app/a\\x2Cb.js:1:13,0x98,*
LoadIC,0x1010,400,2,28,0,1,0x71,v,,
LoadIC,0x1010,410,2,28,1,P,0x72,v,,
LoadIC,0x1010,420,2,28,P,N,0x73,v,,
LoadIC,0x1010,430,2,28,N,N,0x71,v,,
StoreIC,0x1020,440,3,5,0,1,0x71,w,,
LoadIC,0x7777,450,2,28,N,N,0x71,v,,
code-move,0x1000,0x5000
KeyedLoadIC,0x5010,460,4,1,1,N,0x71,key\\x2C1,,
code-creation,JS,10,470,0x1000,100,other /app/o.js:7:1,0x99,~
LoadIC,0x1010,480,8,9,1,P,0x72,z,,
code-deopt,500,640,0x9000,-1,26,deopt-eager,</app/a\\x2Cb.js:1:27>,wrong map
code-deopt,600,640,0x9000,-1,26,deopt-eager,</app/a\\x2Cb.js:1:27>,wrong map
code-deopt,700,640,0x8888,-1,26,deopt-lazy,<[eval]:5:1> inlined at </x.js:1:1>,(unknown)
`;

describe('a log of V8', () => {
  it('tells where code was thrown away, how often, and why', async () => {
    const { v8Version, deoptimisations } = await read(LOG);
    assert.equal(v8Version, '13.6.233.17');
    assert.deepEqual(deoptimisations, [
      {
        functionName: 'add',
        url: '/app/a,b.js',
        line: 1,
        column: 27,
        kind: 'eager',
        reason: 'wrong map',
        count: 2,
        firstUs: 500,
        lastUs: 600,
      },
      {
        functionName: '(anonymous)',
        url: '[eval]',
        line: 5,
        column: 1,
        kind: 'lazy',
        reason: '(unknown)',
        count: 1,
        firstUs: 700,
        lastUs: 700,
      },
    ]);
  });

  it('tells which accesses met how many shapes, by the code that lay there at that moment', async () => {
    const { sites } = await read(LOG);
    assert.deepEqual(
      sites.map(({ functionName, url, line, column, access, property, state, misses, shapes }) =>
        [functionName, url, line, column, access, property, state, misses, shapes].join(' '),
      ),
      [
        'mega /app/a.js 2 28 LoadIC v megamorphic 4 3',
        'mega /app/a.js 3 5 StoreIC w monomorphic 1 1',
        'mega /app/a.js 4 1 KeyedLoadIC key,1 megamorphic 1 1',
        'other /app/o.js 8 9 LoadIC z polymorphic 1 1',
      ],
    );
  });

  it('is refused with the line', async () => {
    await assert.rejects(read(''), /v8\.log: the file is empty/);
    await assert.rejects(read('{}'), /at line 1: a log of V8 was expected/);
    await assert.rejects(read(LOG.replace('0x1010,430', 'x,430')), /at line 9: a number was expected, found "x"/);
    await assert.rejects(read(LOG.replace('code-deopt,500', 'code-deopt,-5')), /at line 16: a number was expected/);
  });
});
