import { ReplaySubject, Subject, Subscription, filter, scan } from 'rxjs';

const ticks = new Subject();
const recent = new ReplaySubject(50);
ticks.subscribe(recent);

class Dashboard {
  constructor(symbol) {
    this.subscriptions = new Subscription();
    this.total = 0;
    const mine = filter((tick) => tick.symbol === symbol);
    this.subscriptions.add(
      ticks
        .pipe(
          mine,
          scan((sum, tick) => sum + tick.price, 0),
        )
        .subscribe((sum) => (this.total = sum)),
    );
    this.subscriptions.add(recent.pipe(mine).subscribe((tick) => (this.last = tick)));
  }

  close() {
    this.subscriptions.unsubscribe();
  }
}

export async function openAndClose(number) {
  const dashboard = new Dashboard(`SYM${number % 4}`);
  for (let symbol = 0; symbol < 4; symbol++)
    ticks.next({ symbol: `SYM${symbol}`, price: number + symbol, at: Date.now() });
  dashboard.close();
  return dashboard.total;
}
