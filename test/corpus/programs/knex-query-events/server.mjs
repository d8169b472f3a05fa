import express from 'express';
import { randomUUID } from 'node:crypto';
import { InvoiceRepository } from './invoice-repository.mjs';

const app = express();

app.get('/invoices', (req, res) => {
  const repository = new InvoiceRepository(randomUUID());
  const customer = Number(req.query.customer);
  res.json({ statements: [repository.openInvoices(customer), repository.totals(customer)].map(({ sql }) => sql) });
});

app.listen(process.env.PORT);
