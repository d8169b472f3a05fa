const express = require('express');

const app = express();
app.locals.recentSearches = [];
app.locals.siteName = 'The second-hand bookshop';

app.use((request, response, next) => {
  response.locals.startedAt = Date.now();
  next();
});

app.get('/search', (request, response) => {
  const { q, page = '1' } = request.query;
  const hits = Array.from({ length: 5 }, (_, i) => ({ title: `${q} volume ${i}`, page }));
  app.locals.recentSearches.unshift({ q, page, hits: hits.length, tookMs: Date.now() - response.locals.startedAt });
  response.json({ site: app.locals.siteName, hits, recent: app.locals.recentSearches.slice(0, 5).map(({ q }) => q) });
});

app.listen(process.env.PORT);
