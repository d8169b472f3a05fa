import { shutdownSignal } from './shutdown.mjs';

const rows = Array.from({ length: 50 }, (_, id) => ({ id, customer: id % 7, total: id * 3 }));

function runQuery(text, parameters) {
  return new Promise((resolve, reject) => {
    const query = {
      text,
      parameters,
      plan: [`scan orders`, `filter customer = ${parameters[0]}`],
      startedAt: Date.now(),
    };
    shutdownSignal.addEventListener('abort', () => {
      reject(new Error(`query cancelled: ${query.text} ${query.plan.join(', ')}`));
    });
    setImmediate(() => resolve(rows.filter((row) => row.customer === parameters[0])));
  });
}

export async function findOrders(number) {
  const found = await runQuery('select * from orders where customer = $1', [number % 7]);
  return found.length;
}
