const Koa = require('koa').default ?? require('koa');
const { writeLetter } = require('./letters.js');

const app = new Koa();

app.use((ctx) => {
  const reader = ctx.path.slice(1);
  const body = 'Please bring back {{#each books}}"{{this}}" {{/each}}by {{day}}.';
  ctx.body = writeLetter(reader, `reader ${reader}`, body, { books: ['Atlas', 'Herbs'], day: 'Monday' });
});

app.listen(process.env.PORT);
