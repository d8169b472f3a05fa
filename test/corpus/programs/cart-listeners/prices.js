const { EventEmitter } = require('node:events');

const priceFeed = new EventEmitter();
priceFeed.setMaxListeners(0);

const prices = new Map();

function priceOf(sku) {
  if (!sku) return 0;
  const seed = [...sku].reduce((sum, char) => sum + char.charCodeAt(0), 0);
  return prices.get(sku) ?? (seed % 500) / 10;
}

function setPrice(sku, price) {
  prices.set(sku, price);
  if (prices.size > 100) prices.delete(prices.keys().next().value);
  priceFeed.emit('price-changed', sku, price);
}

module.exports = { priceFeed, priceOf, setPrice };
