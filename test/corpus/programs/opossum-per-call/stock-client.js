const CircuitBreaker = require('opossum');

async function askWarehouse(article, warehouse) {
  await new Promise((resolve) => setImmediate(resolve));
  return { article, warehouse, stock: (article.length * 7 + warehouse) % 40 };
}

const options = { timeout: 2000, errorThresholdPercentage: 50, resetTimeout: 10_000 };

/** Asks all warehouses; one that is ill does not hold up the others. */
exports.stockOf = async function stockOf(article) {
  const breaker = new CircuitBreaker(askWarehouse, options);
  breaker.fallback(() => ({ article, stock: 0 }));
  const answers = await Promise.all([1, 2].map((warehouse) => breaker.fire(article, warehouse)));
  return answers.reduce((sum, { stock }) => sum + stock, 0);
};
