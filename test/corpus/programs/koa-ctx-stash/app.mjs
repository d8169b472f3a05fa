import Koa from 'koa';

const app = new Koa();
app.silent = true;
app.context.failures = [];

app.use(async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    ctx.failures.push({ ctx, error });
    ctx.status = 422;
    ctx.body = { error: error.message };
  }
});

app.use((ctx) => {
  const [a, b] = [ctx.query.a, ctx.query.b].map(Number);
  if (b === 0) throw new RangeError('division by zero');
  ctx.body = { result: a / b };
});

app.listen(process.env.PORT);
