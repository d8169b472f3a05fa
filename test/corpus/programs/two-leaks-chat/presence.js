const { EventEmitter } = require('node:events');

const presence = new EventEmitter();
presence.setMaxListeners(0);
const mailboxes = new Map();

function mailboxOf(user) {
  if (!mailboxes.has(user)) mailboxes.set(user, []);
  return mailboxes.get(user);
}

class Connection {
  constructor(user) {
    this.user = user;
    this.friends = new Set([`${user}-friend`]);
    this.outbox = [];
    presence.on('online', (other) => this.notice(other));
  }

  notice(other) {
    if (this.friends.has(other)) this.outbox.push({ type: 'online', other });
  }

  send(to, text) {
    mailboxOf(to).push({ from: this.user, text, at: Date.now() });
  }
}

exports.visit = async (number) => {
  const connection = new Connection(`user-${number}`);
  presence.emit('online', connection.user);
  connection.send(`user-${number + 1}`, `Have you seen the report of day ${number}? It has grown again.`);
  mailboxes.delete(number % 4 === 0 ? connection.user : '');
};
