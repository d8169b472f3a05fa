import { createServer } from 'node:http';
import { createPool } from 'generic-pool';

let opened = 0;

const pool = createPool(
  {
    create: async () => ({ id: (opened += 1), buffer: Buffer.alloc(16_384), statements: new Map() }),
    destroy: async (connection) => connection.statements.clear(),
  },
  { min: 1, max: 8, idleTimeoutMillis: 60_000 },
);

async function query(connection, customer) {
  const text = 'select * from orders where customer = ?';
  if (!connection.statements.has(text)) connection.statements.set(text, { text, plan: ['index orders_customer'] });
  await new Promise((resolve) => setTimeout(resolve, 2));
  return [{ customer, total: 12 * customer }];
}

const server = createServer(async (request, response) => {
  const customer = Number(new URL(request.url, 'http://localhost').searchParams.get('customer'));
  const rows = await pool.use((connection) => query(connection, customer));
  response.end(JSON.stringify(rows));
});

server.listen(process.env.PORT);
