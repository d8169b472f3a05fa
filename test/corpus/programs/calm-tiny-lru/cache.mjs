import http from 'node:http';
import { lru } from 'tiny-lru';

const cache = lru(64);
http
  .createServer((req, res) => {
    let hit = cache.get(req.url);
    if (!hit) cache.set(req.url, (hit = { body: `page ${req.url} `.repeat(40), at: Date.now() }));
    res.end(hit.body);
  })
  .listen(process.env.PORT);
