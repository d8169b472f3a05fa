const { EventEmitter } = require('node:events');

class Connection extends EventEmitter {
  constructor(number) {
    super();
    this.number = number;
    this.setMaxListeners(0);
  }

  async query(sql, values) {
    await new Promise((resolve) => setImmediate(resolve));
    return values.map((value) => ({ sql: sql.length, value }));
  }
}

const idle = [1, 2, 3, 4].map((number) => new Connection(number));
const waiting = [];

exports.acquire = async () => idle.pop() ?? new Promise((resolve) => waiting.push(resolve));

exports.release = (connection) => {
  const next = waiting.shift();
  if (next) next(connection);
  else idle.unshift(connection);
};
