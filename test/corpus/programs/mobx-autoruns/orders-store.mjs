import { makeAutoObservable } from 'mobx';

class OrdersStore {
  open = [];
  total = 0;

  constructor() {
    makeAutoObservable(this);
  }

  add({ article, amount }) {
    this.total += amount;
    this.open.push({ article, amount });
    if (this.open.length > 20) this.open.shift();
  }
}

export const ordersStore = new OrdersStore();
