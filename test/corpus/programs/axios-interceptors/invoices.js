const express = require('express');
const { clientFor } = require('./billing.js');

const app = express();

app.get('/invoices/:number', async (request, response) => {
  const account = { id: request.get('x-account'), features: ['pdf', 'csv'], address: { city: 'here', zip: 12345 } };
  const { data } = await clientFor(account, `${account.id}-${Date.now()}`).get(`/invoices/${request.params.number}`);
  response.json(data);
});

app.listen(process.env.PORT);
