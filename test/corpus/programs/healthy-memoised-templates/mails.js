const express = require('express');
const memoize = require('lodash/memoize');
const Handlebars = require('handlebars');

const NAMES = ['welcome', 'invoice', 'reminder', 'farewell'];

const templateFor = memoize(
  (name, language) =>
    Handlebars.compile(`<h1>${name} (${language})</h1><p>Dear {{name}},</p>{{#if extra}}<p>{{extra}}</p>{{/if}}`),
  (name, language) => `${name}:${language}`,
);

const app = express();
app.use(express.json());

app.post('/mail/:kind', (req, res) => {
  const { language, name } = req.body;
  const render = templateFor(NAMES[Number(req.params.kind)], language);
  res.type('html').send(render({ name, extra: name.endsWith('7') ? 'You have won.' : undefined }));
});

app.listen(process.env.PORT);
