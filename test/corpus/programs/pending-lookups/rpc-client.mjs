import { EventEmitter } from 'node:events';

class Transport extends EventEmitter {
  send(message) {
    // The other side drops what it does not understand, without an answer.
    if (message.id % 4 === 0) setImmediate(() => this.emit('message', { id: message.id, result: { ok: true } }));
  }
}

class RpcClient {
  constructor(transport) {
    this.transport = transport;
    this.nextId = 1;
    this.pending = new Map();
    transport.on('message', ({ id, result }) => {
      this.pending.get(id)?.resolve(result);
      this.pending.delete(id);
    });
  }

  call(method, params) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, method, params });
      this.transport.send({ id, method, params });
    });
  }
}

const client = new RpcClient(new Transport());

const timeout = (ms) => new Promise((resolve) => setTimeout(resolve, ms, null));

export async function lookUpCustomer(number) {
  const query = { email: `customer${number}@example.com`, fields: ['name', 'address', 'orders'], trace: `t-${number}` };
  return Promise.race([client.call('customer.find', query), timeout(1)]);
}
