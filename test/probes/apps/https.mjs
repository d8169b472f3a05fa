// The same over TLS, with the certificate PEM.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const pem = readFileSync(process.env.PEM);
createServer({ key: pem, cert: pem }, (request, response) => {
  response.statusCode = request.url === '/broken' ? 500 : 200;
  response.end(`${request.headers.host} ${request.url}`);
}).listen(Number(process.env.PORT));
