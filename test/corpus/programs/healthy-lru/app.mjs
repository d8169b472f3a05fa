import express from 'express';
import { LRUCache } from 'lru-cache';

const articles = new LRUCache({ max: 400, ttl: 60_000 });

function loadArticle(id) {
  return { id, title: `Article ${id}`, body: `Text of article ${id}. `.repeat(20), tags: [`t${id % 9}`, 'news'] };
}

const app = express();

app.get('/articles/:id', (req, res) => {
  const id = Number(req.params.id);
  let article = articles.get(id);
  if (article === undefined) {
    article = loadArticle(id);
    articles.set(id, article);
  }
  res.json(article);
});

app.listen(process.env.PORT ?? 3000);
