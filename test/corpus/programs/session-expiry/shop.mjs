import Koa from 'koa';
import { visit } from './sessions.mjs';

const app = new Koa();

app.use((ctx) => {
  const { visits, basket } = visit(ctx.get('x-session'));
  ctx.body = { visits, basket: basket.length };
});

app.listen(process.env.PORT);
