import { db } from './db.mjs';

export class InvoiceRepository {
  constructor(requestId) {
    this.requestId = requestId;
    this.traces = [];
    db.on('start', (builder) => this.traces.push(builder.toString()));
  }

  openInvoices(customer) {
    return db('invoices').where({ customer, state: 'open' }).orderBy('due_at').limit(20).toSQL().toNative();
  }

  totals(customer) {
    return db('invoices').sum('amount as total').where({ customer }).groupBy('currency').toSQL().toNative();
  }
}
