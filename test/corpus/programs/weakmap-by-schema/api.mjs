import fastify from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { record } from './loader.mjs';

const schema = buildSchema(`
  type Author { name: String! books: [String!]! }
  type Query { author(id: ID!): Author }
`);

const timed = (field, resolve) => (args) => {
  const startedAt = performance.now();
  const result = resolve(args);
  record(schema, field, performance.now() - startedAt);
  return result;
};

const rootValue = {
  author: timed('author', ({ id }) => ({
    name: `Author ${id}`,
    books: timed('books', () => [`First of ${id}`, `Second of ${id}`]),
  })),
};

const app = fastify();
const source = 'query ($id: ID!) { author(id: $id) { name books } }';
app.get('/authors/:id', (request) => graphql({ schema, source, rootValue, variableValues: request.params }));
await app.listen({ port: Number(process.env.PORT ?? 3000) });
