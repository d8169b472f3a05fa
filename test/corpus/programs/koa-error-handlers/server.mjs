import Koa from 'koa';
import { reportErrors } from './report-errors.mjs';

const app = new Koa();
app.use(reportErrors);

app.use(async (ctx) => {
  const article = ctx.path.split('/').at(-1);
  if (article.endsWith('13')) ctx.throw(404, `no article ${article}`);
  ctx.body = { article, words: article.length * 120 };
});

app.listen(process.env.PORT);
