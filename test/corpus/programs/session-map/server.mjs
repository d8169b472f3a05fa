import { createServer } from 'node:http';
import { findSession, openSession } from './sessions.mjs';

async function readJson(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body === '' ? {} : JSON.parse(body);
}

const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/login') {
    const { user } = await readJson(request);
    const id = openSession(user, request.headers['user-agent']);
    response.setHeader('set-cookie', `sid=${id}; HttpOnly`);
    response.end(JSON.stringify({ ok: true, user: findSession(id).user }));
    return;
  }
  if (request.url === '/logout') {
    response.setHeader('set-cookie', 'sid=; Max-Age=0');
    response.end('bye');
    return;
  }
  response.writeHead(404).end();
});

server.listen(Number(process.env.PORT ?? 3000));
