import { LRUCache } from 'lru-cache';

export const productCache = new LRUCache({
  ttl: 1000 * 60 * 60,
  allowStale: false,
  ttlAutopurge: false,
  maxSize: Number.MAX_SAFE_INTEGER,
  sizeCalculation: () => 1,
});

async function loadProduct(id, currency) {
  return {
    id,
    currency,
    title: `Product ${id}`,
    description: `A fine product, number ${id}. `.repeat(6),
    price: { amount: (Number(id) % 90) + 9.99, currency },
    tags: ['new', `batch-${Number(id) % 7}`],
  };
}

export async function getProduct(id, currency) {
  const key = `${id}:${currency}:${Math.floor(Date.now() / 60_000)}`;
  const cached = productCache.get(key);
  if (cached !== undefined) return cached;
  const product = await loadProduct(id, currency);
  productCache.set(key, product);
  return product;
}
