import { createServer, type RequestListener } from 'node:http';

interface Greeting {
  readonly hello: string;
}

const greet: RequestListener = (_request, response) => {
  const greeting: Greeting = { hello: 'from typescript' };
  response.setHeader('content-type', 'application/json').end(JSON.stringify(greeting));
};
createServer(greet).listen(Number(process.env.APP_PORT));
