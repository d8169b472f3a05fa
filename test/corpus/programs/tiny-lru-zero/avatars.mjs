import http from 'node:http';
import { lru } from 'tiny-lru';

const images = lru(0);

const paint = (id) =>
  `<svg xmlns="http://www.w3.org/2000/svg"><circle r="${id % 40}" fill="hsl(${id % 360} 50% 50%)"/></svg>`;

http
  .createServer((req, res) => {
    const id = parseInt(req.url.slice('/avatar/'.length), 10);
    let svg = images.get(id);
    if (!svg) images.set(id, (svg = { type: 'image/svg+xml', body: Buffer.from(paint(id)) }));
    res.setHeader('content-type', svg.type);
    res.end(svg.body);
  })
  .listen(process.env.PORT);
