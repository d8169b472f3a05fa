import { createServer } from 'node:http';
import { Trie } from './trie.ts';

const terms = new Trie();

createServer((req, res) => {
  const q = new URL(req.url ?? '/', 'http://x').searchParams.get('q') ?? '';
  terms.insert(q);
  res.end(JSON.stringify({ q, more: terms.below(q.slice(0, 3)) }));
}).listen(process.env.PORT);
