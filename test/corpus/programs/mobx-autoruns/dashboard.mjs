import express from 'express';
import { ordersStore } from './orders-store.mjs';
import { WidgetView } from './widget-view.mjs';

const app = express();
app.use(express.json());

app.post('/orders', (request, response) => {
  ordersStore.add(request.body);
  response.status(201).json({ total: ordersStore.total });
});

app.get('/widgets/:user', (request, response) => {
  const view = new WidgetView(request.params.user, ordersStore);
  response.json(view.toJSON());
});

app.listen(process.env.PORT ?? 3000);
