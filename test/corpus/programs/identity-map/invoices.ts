import { createServer } from 'node:http';
import { Entity } from './entity.ts';

class Invoice extends Entity {
  pay(cents: number): number {
    this.touch('paid');
    return Number(this.row['cents']) - cents;
  }
}

createServer((request, response) => {
  const id = Number(request.url?.split('/').at(-1));
  const invoice = Invoice.of({ id, cents: id * 100, customer: `customer ${id % 50}` });
  response.end(JSON.stringify({ left: invoice.pay(50), changed: invoice.changed }));
}).listen(process.env.PORT);
