const Koa = require('koa').default ?? require('koa');

const views = {};

const app = new Koa();

app.use(async (ctx, next) => {
  const entry = (views[ctx.url] ??= { count: 0, firstAt: Date.now(), referers: [] });
  entry.count += 1;
  const referer = ctx.get('referer');
  if (referer && entry.referers.length < 3) entry.referers.push(referer);
  await next();
});

app.use(async (ctx) => {
  if (ctx.path === '/top') {
    ctx.body = Object.entries(views)
      .sort(([, a], [, b]) => b.count - a.count)
      .slice(0, 10);
    return;
  }
  ctx.body = { page: ctx.path, hello: 'world' };
});

app.listen(process.env.PORT);
