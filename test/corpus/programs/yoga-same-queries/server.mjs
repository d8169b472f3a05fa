import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';

const books = Array.from({ length: 300 }, (_, id) => ({
  id: String(id),
  title: `Book ${id}`,
  pages: 100 + (id % 400),
}));

const schema = createSchema({
  typeDefs: `
    type Book { id: ID! title: String! pages: Int! }
    type Query { book(id: ID!): Book longest(first: Int!): [Book!]! }
  `,
  resolvers: {
    Query: {
      book: (_root, { id }) => books[Number(id) % books.length],
      longest: (_root, { first }) => books.toSorted((a, b) => b.pages - a.pages).slice(0, first),
    },
  },
});

createServer(createYoga({ schema, logging: false, graphiql: false })).listen(process.env.PORT);
