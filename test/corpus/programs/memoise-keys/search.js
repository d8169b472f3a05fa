const { createServer } = require('node:http');
const memoize = require('lodash/memoize');

const catalogue = Array.from({ length: 400 }, (_, id) => ({
  id,
  title: `shoe${id} model ${id % 12}`,
  price: 20 + (id % 60),
}));

const searchProducts = memoize(
  ({ term, page }) => {
    const hits = catalogue.filter((product) => product.title.includes(term)).slice(page * 10, page * 10 + 10);
    return {
      term,
      page,
      hits: hits.map((hit) => ({ ...hit, url: `/products/${hit.id}?from=${term}` })),
      facets: { price: [20, 80] },
    };
  },
  (query) => JSON.stringify(query),
);

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const result = searchProducts({
    term: url.searchParams.get('q') ?? '',
    page: Number(url.searchParams.get('page') ?? 1) - 1,
  });
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(result));
});

server.listen(process.env.PORT);
