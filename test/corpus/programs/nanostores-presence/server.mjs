import { createServer } from 'node:http';
import { $online, enter, leave } from './presence.mjs';

/** The friends list is drawn again when somebody comes or goes. */
function friendsOf(user, friends) {
  const drawing = { user, online: [], drawn: 0 };
  $online.listen((online) => {
    drawing.online = friends.filter((friend) => online.has(friend));
    drawing.drawn += 1;
  });
  return drawing;
}

const server = createServer((request, response) => {
  const user = new URL(request.url, 'http://localhost').searchParams.get('user');
  const drawing = friendsOf(user, ['u1', 'u2', 'u3', user]);
  enter(user);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(drawing));
  leave(user);
});

server.listen(process.env.PORT);
