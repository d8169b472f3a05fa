import Koa from 'koa';

const app = new Koa();
app.use((context) => {
  context.body = 'hello from koa\n';
});
app.listen(Number(process.env.APP_PORT));
