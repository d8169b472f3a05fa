import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import DataLoader from 'dataloader';

const requestScope = new AsyncLocalStorage();

async function fetchUsers(ids) {
  await new Promise((resolve) => setImmediate(resolve));
  return ids.map((id) => ({ id, name: `User ${id}`, follows: [id + 1, id + 2] }));
}

const loadUser = (id) => requestScope.getStore().users.load(id);

async function renderPost(id) {
  const author = await loadUser(id % 50);
  const followed = await Promise.all(author.follows.map(loadUser));
  return { id, author: author.name, followed: followed.map(({ name }) => name) };
}

const server = createServer((request, response) => {
  const scope = { users: new DataLoader(fetchUsers), url: request.url, startedAt: Date.now() };
  requestScope.run(scope, async () => {
    const post = await renderPost(Number(request.url.split('/').at(-1)));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(post));
  });
});

server.listen(process.env.PORT);
