import Koa from 'koa';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const bursts = new RateLimiterMemory({ points: 3, duration: 1 });
const app = new Koa();

app.use(async (ctx) => {
  try {
    await bursts.consume(ctx.get('x-client'));
    ctx.body = 'served';
  } catch {
    ctx.status = 429;
  }
});

app.listen(process.env.PORT);
