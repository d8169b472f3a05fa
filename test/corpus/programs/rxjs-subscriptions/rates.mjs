import { Subject } from 'rxjs';

export const rates = new Subject();

let step = 0;

export function publishRate() {
  step += 1;
  rates.next({ pair: step % 2 === 0 ? 'EUR/USD' : 'EUR/CHF', value: 1 + (step % 40) / 1000 });
}
