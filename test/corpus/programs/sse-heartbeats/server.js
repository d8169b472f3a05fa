const express = require('express');
const { EventStream } = require('./events.js');

const app = express();

app.get('/jobs/:id/events', (request, response) => {
  const stream = new EventStream(response, request.params.id);
  let percent = 0;
  const step = () => {
    percent += 50;
    stream.send('progress', { percent });
    if (percent < 100) setImmediate(step);
    else stream.end();
  };
  step();
});

app.listen(process.env.PORT ?? 3000);
