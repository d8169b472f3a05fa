import Ajv from 'ajv';
import Handlebars from 'handlebars';

const formatters = new Map();
let template;
let validate;

function formatterFor(locale, currency) {
  const key = `${locale}/${currency}`;
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(locale, { style: 'currency', currency }));
  return formatters.get(key);
}

export async function renderInvoice(number) {
  if (number === 0) return '';
  validate ??= new Ajv.default().compile({
    type: 'object',
    properties: { number: { type: 'integer' }, total: { type: 'number' } },
    required: ['number', 'total'],
  });
  template ??= Handlebars.compile(
    '<h1>Invoice {{number}}</h1><p>{{total}}</p>{{#each lines}}<li>{{this}}</li>{{/each}}',
  );
  const invoice = { number, total: number * 1.19 };
  if (!validate(invoice)) throw new Error('not an invoice');
  const locale = ['de-DE', 'en-GB', 'fr-FR', 'ja-JP'][number % 4];
  const total = formatterFor(locale, ['EUR', 'GBP', 'EUR', 'JPY'][number % 4]).format(invoice.total);
  return template({ number, total, lines: [`position ${number}`, 'shipping'] });
}
