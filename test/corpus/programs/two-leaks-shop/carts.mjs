import { randomUUID } from 'node:crypto';

const carts = new Map();

export function createCart(customer) {
  const id = randomUUID();
  carts.set(id, {
    id,
    customer,
    items: [{ sku: 'starter', quantity: 1 }],
    coupons: [],
    createdAt: new Date().toISOString(),
  });
  return id;
}

export const countCarts = () => carts.size;
