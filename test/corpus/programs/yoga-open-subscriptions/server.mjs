import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { nextPrice } from './prices.mjs';

const schema = createSchema({
  typeDefs: `
    type Price { article: ID! cents: Int! }
    type Query { nextPrice(article: ID!, last: Int!): Price! }
  `,
  resolvers: { Query: { nextPrice: (_root, { article, last }) => nextPrice(article, last) } },
});

const yoga = createYoga({ schema, logging: false, graphiql: false });
createServer(yoga).listen(process.env.PORT);
