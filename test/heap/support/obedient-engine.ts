/** An engine that does what the test asks of it. */
import { BadFile, serveEngine } from '../../../src/input/index.ts';

type Wish = 'answer' | 'spin' | 'grow-arrays' | 'grow-heap' | 'bad-file' | 'no-file' | 'exit' | 'parent';

const spin = (): never => {
  for (;;) Math.sqrt(2);
};

await serveEngine(async (request, onProgress) => {
  const { wish } = request as { readonly wish: Wish };
  onProgress(wish, 0.5);
  switch (wish) {
    case 'answer':
      return { text: 'x'.repeat(3_000_000), pid: process.pid };
    case 'spin':
      return spin();
    case 'grow-arrays': {
      const arrays: Uint8Array[] = [];
      for (;;) arrays.push(new Uint8Array(1 << 20).fill(1));
    }
    case 'grow-heap': {
      const objects: object[] = [];
      for (;;) objects.push({ objects: [{}] });
    }
    case 'bad-file':
      throw new BadFile({ file: 'a.heapsnapshot', where: 'byte 7', what: 'a comma was expected' });
    case 'no-file':
      throw Object.assign(new Error('none'), { code: 'ENOENT', path: '/nowhere' });
    case 'exit':
      process.exit(9);
  }
  return null;
});
