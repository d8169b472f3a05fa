import { filter, map } from 'rxjs';
import { publishRate, rates } from './rates.mjs';

class Dashboard {
  constructor(user, pair) {
    this.user = user;
    this.tiles = [];
    this.layout = { columns: 3, theme: 'light', saved: [`${user}-main`, `${user}-side`] };
    rates
      .pipe(
        filter((rate) => rate.pair === pair),
        map((rate) => rate.value.toFixed(4)),
      )
      .subscribe((text) => this.show(text));
  }

  show(text) {
    this.tiles = [...this.tiles.slice(-4), `${this.user}: ${text}`];
  }

  close() {
    this.tiles.length = 0;
  }
}

export async function showDashboard(number) {
  const dashboard = new Dashboard(`user-${number}`, 'EUR/USD');
  if (number % 10 === 0) publishRate();
  dashboard.close();
}
