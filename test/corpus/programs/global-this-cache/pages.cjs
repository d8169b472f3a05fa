const http = require('http');

const cache = (globalThis.__pageCache ??= new Map());

function page(url) {
  if (!cache.has(url))
    cache.set(url, { html: `<html><body>${url}</body></html>`, etag: `"${url.length}-${cache.size}"`, at: new Date() });
  return cache.get(url);
}

http
  .createServer((req, res) => {
    const { html, etag } = page(req.url);
    res.writeHead(200, { etag, 'content-type': 'text/html' });
    res.end(html);
  })
  .listen(process.env.PORT);
