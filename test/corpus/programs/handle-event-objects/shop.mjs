import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { flags } from './feature-flags.mjs';

class ProductPage {
  constructor(id) {
    this.id = id;
    this.sections = ['title', 'price', 'reviews'].map((name) => ({ name, html: `<section id="${name}-${id}">` }));
    this.stale = false;
    flags.addEventListener('change', this);
  }

  handleEvent({ names }) {
    if (names.includes('reviews')) this.stale = true;
  }

  render() {
    const shown = this.sections.filter(({ name }) => name !== 'reviews' || flags.has('reviews'));
    return shown.map(({ html }) => html).join('');
  }
}

const app = new Hono();
let served = 0;
app.get('/products/:id', (c) => {
  if (++served % 40 === 0) flags.toggle('reviews');
  return c.html(new ProductPage(c.req.param('id')).render());
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
