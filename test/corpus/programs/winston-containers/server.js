const { createServer } = require('node:http');
const { loggerFor } = require('./logging.js');

let requests = 0;
createServer((request, response) => {
  const logger = loggerFor(`request-${(requests += 1)}`);
  logger.info('asked', { path: request.url });
  response.end('ok');
  logger.info('answered', { status: response.statusCode });
}).listen(process.env.PORT);
