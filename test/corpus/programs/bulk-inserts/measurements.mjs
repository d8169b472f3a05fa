import express from 'express';
import { BulkInsert } from './bulk.mjs';

const inserts = new BulkInsert();
const app = express();
app.use(express.json());

app.post('/measurements', async (request, response) => {
  const written = await inserts.add(request.body);
  response.status(202).json({ written });
});

app.listen(process.env.PORT);
