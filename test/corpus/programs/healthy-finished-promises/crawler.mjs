import PQueue from 'p-queue';

const queue = new PQueue({ concurrency: 6 });
const stats = { pages: 0, bytes: 0, byStatus: new Map() };

async function fetchPage(url) {
  await new Promise((resolve) => setImmediate(resolve));
  const body = `<html><a href="${url}/next">next</a></html>`.repeat(4);
  return { url, status: url.endsWith('7') ? 404 : 200, body };
}

export async function crawl(number) {
  const urls = Array.from({ length: 40 }, (_, page) => `https://site-${number}.example/page/${page}`);
  const pages = await Promise.all(urls.map((url) => queue.add(() => fetchPage(url))));
  for (const page of pages) {
    stats.pages += 1;
    stats.bytes += page.body.length;
    stats.byStatus.set(page.status, (stats.byStatus.get(page.status) ?? 0) + 1);
  }
  return stats.pages;
}
