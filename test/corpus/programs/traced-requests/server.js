const express = require('express');
const { span } = require('./tracing.js');

const app = express();
const turn = () => new Promise((resolve) => setImmediate(resolve));

app.get('/trips/:id', (request, response) =>
  span(`trip ${request.params.id}`, async () => {
    const legs = await Promise.all(
      [1, 2, 3].map((leg) =>
        span(`leg ${leg}`, async () => {
          await turn();
          return { leg, trip: request.params.id };
        }),
      ),
    );
    response.json(legs);
  }),
);

app.listen(process.env.PORT);
