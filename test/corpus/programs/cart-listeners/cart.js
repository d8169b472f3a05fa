const { priceFeed, priceOf } = require('./prices.js');

class CartItem {
  constructor(cart, sku, quantity) {
    this.cart = cart;
    this.sku = sku;
    this.quantity = quantity;
    this.price = priceOf(sku);
    this.note = `added at ${new Date().toISOString()} by customer ${cart.id}`;
    priceFeed.on('price-changed', (changed, price) => {
      if (changed === this.sku) this.price = price;
    });
  }
}

class Cart {
  constructor(id) {
    this.id = id;
    this.items = [];
  }

  add(sku, quantity) {
    this.items.push(new CartItem(this, sku, quantity));
  }

  get total() {
    return this.items.reduce((sum, item) => sum + item.price * item.quantity, 0);
  }
}

module.exports = { Cart };
