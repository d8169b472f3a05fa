import { autorun } from 'mobx';

/** What one user sees: kept up to date by the store. */
export class WidgetView {
  lines = [];
  total = 0;

  constructor(user, store) {
    this.user = user;
    autorun(() => {
      this.total = store.total;
      this.lines = store.open.slice(-3).map(({ article, amount }) => `${amount} x ${article}`);
    });
  }

  toJSON() {
    return { user: this.user, total: this.total, lines: this.lines };
  }
}
