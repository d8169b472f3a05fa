import { createServer } from 'node:http';
import { countVisit, visitStatistics } from './visitors.mjs';

class Product {
  constructor(id) {
    this.id = id;
    this.title = `Product ${id}`;
    this.variants = [{ size: 'S' }, { size: 'M' }];
  }
}

const products = new Map();
for (let id = 0; id < 12_000; id++) products.set(id, new Product(id));

createServer((request, response) => {
  countVisit(request.headers.cookie ?? '');
  response.setHeader('content-type', 'application/json');
  if (request.url === '/statistics') return response.end(JSON.stringify(visitStatistics()));
  response.end(JSON.stringify(products.get(Number(request.url.split('/')[2]))));
}).listen(process.env.PORT);
