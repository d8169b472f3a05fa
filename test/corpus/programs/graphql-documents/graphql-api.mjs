import fastify from 'fastify';
import { buildSchema, execute } from 'graphql';
import { DocumentStore } from './document-store.mjs';

const schema = buildSchema(`
  type Product { id: ID! title: String! price: Float! }
  type Query { product(id: ID!): Product }
`);

const rootValue = {
  product: ({ id }) => ({ id, title: `Product ${id}`, price: id.length * 3.5 }),
};

const documents = new DocumentStore(schema);
const app = fastify();

app.post('/graphql', async (request, reply) => {
  try {
    return await execute({ schema, rootValue, document: documents.get(request.body.query) });
  } catch (error) {
    return reply.code(400).send({ errors: [{ message: error.message }] });
  }
});

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
