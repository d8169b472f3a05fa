import Koa from 'koa';
import NodeCache from 'node-cache';

const cache = new NodeCache({ stdTTL: 0.1, checkperiod: 0.1, maxKeys: 500 });

async function fetchRate(pair) {
  return { pair, rate: 1 + (pair.length % 10) / 100, source: 'central bank', history: [1.01, 1.02, 1.03] };
}

const app = new Koa();

app.use(async (ctx) => {
  const pair = ctx.path.split('/').at(-1);
  let rate = cache.get(pair);
  if (rate === undefined) {
    rate = await fetchRate(pair);
    if (cache.keys().length < 500) cache.set(pair, rate);
  }
  ctx.body = rate;
});

app.listen(process.env.PORT);
