const express = require('express');
const { stockOf } = require('./stock-client.js');

const app = express();

app.get('/stock/:article', async (request, response) => {
  response.json({ article: request.params.article, stock: await stockOf(request.params.article) });
});

app.listen(process.env.PORT || 3000);
