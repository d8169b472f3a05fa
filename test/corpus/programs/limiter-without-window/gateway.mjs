import Koa from 'koa';
import { mayDownload } from './downloads.mjs';

const app = new Koa();

app.use(async (ctx, next) => {
  if (!(await mayDownload(ctx.get('x-licence')))) ctx.throw(429, 'no downloads left');
  await next();
});

app.use((ctx) => {
  ctx.body = { file: ctx.path, bytes: ctx.path.length * 1024 };
});

app.listen(process.env.PORT);
