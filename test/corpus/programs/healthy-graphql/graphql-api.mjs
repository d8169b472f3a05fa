import express from 'express';
import { buildSchema, execute, parse, validate } from 'graphql';
import QuickLRU from 'quick-lru';

const schema = buildSchema(`
  type Product { id: ID! title: String! }
  type Query { product(id: ID!): Product }
`);
const rootValue = { product: ({ id }) => ({ id, title: `Product ${id}` }) };
const documents = new QuickLRU({ maxSize: 100 });

function documentFor(text) {
  const known = documents.get(text);
  if (known !== undefined) return known;
  const document = parse(text);
  const [problem] = validate(schema, document);
  if (problem !== undefined) throw problem;
  documents.set(text, document);
  return document;
}

const app = express();
app.use(express.json());

app.post('/graphql', async (req, res) => {
  const { query, variables } = req.body;
  res.json(await execute({ schema, rootValue, document: documentFor(query), variableValues: variables }));
});

app.listen(process.env.PORT);
