const { once } = require('node:events');
const { createServer } = require('node:http');
const { broker } = require('./broker.js');

async function announce(order) {
  if (broker.publish('orders', JSON.stringify(order))) return;
  await once(broker, 'drain');
  order.announcedAt = Date.now();
}

let number = 0;
createServer((request, response) => {
  const order = { number: (number += 1), path: request.url, lines: [{ article: 'tea' }, { article: 'cups' }] };
  announce(order).catch(console.error);
  response.end(`order ${order.number}`);
}).listen(process.env.PORT);
