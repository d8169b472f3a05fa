// A service that leaks, or not, under requests; writes snapshots of itself between equal loads: mode, files…
import { createServer } from 'node:http';
import { writeHeapSnapshot } from 'node:v8';

const [, , mode, ...files] = process.argv;

class Order {
  constructor(customer) {
    this.customer = customer;
    this.lines = [{ item: 'apple' }, { item: 'pear' }];
  }
  get size() {
    return this.lines.length;
  }
}

class OrderBook {
  recent = new Map();
  keep(order, number) {
    this.recent.set(number, order);
    if (mode === 'bounded' && this.recent.size > 500) this.recent.delete(this.recent.keys().next().value);
  }
}

const book = new OrderBook();
let served = 0;
// Writing a snapshot takes longer than an idle connection is kept, and a request must not meet its end.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  book.keep(new Order(`customer ${served}`), served++);
  response.end('thank you');
});
await new Promise((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const url = `http://127.0.0.1:${server.address().port}/`;
for (const file of files) {
  for (let request = 0; request < 1000; request++) await (await fetch(url)).text();
  globalThis.gc();
  writeHeapSnapshot(file);
}
server.close();
server.closeAllConnections();
