const express = require('express');
const { withRequest } = require('./request-context.js');
const { audit, finish } = require('./audit.js');

const app = express();
let requests = 0;

app.use((request, _response, next) => {
  withRequest({ id: `r${(requests += 1)}`, user: request.get('x-user'), path: request.path }, next);
});

app.post('/articles/:id/publish', (request, response) => {
  audit({ kind: 'publish', article: request.params.id });
  response.sendStatus(204);
});

const server = app.listen(process.env.PORT);
process.once('SIGTERM', () => server.close(() => console.log(finish().join('\n'))));
