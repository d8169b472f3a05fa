/**
 * The heap of a service that has been up for a while: `busy-service.mjs FILE SESSIONS` keeps that many sessions with what
 * services keep (users, carts, caches, timers, listeners, promises, buffers), in an order mixed by time, and writes a
 * snapshot of some 9 KB a session.
 */
// oxlint-disable typescript/no-extraneous-class -- a service's heap is full of such
import { EventEmitter } from 'node:events';
import { writeHeapSnapshot } from 'node:v8';

const [file, sessionsText] = process.argv.slice(2);
const sessionCount = Number(sessionsText);

class User {
  constructor(id) {
    this.id = id;
    this.name = `user ${id}`;
    this.email = `user${id}@example.org`;
    this.roles = id % 10 === 0 ? ['admin', 'user'] : ['user'];
    this.createdAt = new Date(1_700_000_000_000 + id * 1000);
  }
}

class CartLine {
  constructor(product, count) {
    this.product = product;
    this.count = count;
    this.note = null;
  }
}

class Session {
  constructor(id, products) {
    this.id = `session-${id.toString(36)}-${(id * 7919) % 100_003}`;
    this.user = new User(id);
    this.cart = new Map();
    this.seen = new Set();
    this.flags = { isNew: id % 3 === 0, theme: id % 2 === 0 ? 'dark' : 'light', visits: id * 1.5 };
    for (let at = 0; at < 6 + (id % 5); at += 1) {
      const product = products[(id * 31 + at * 17) % products.length];
      this.cart.set(product.sku, new CartLine(product, at + 1));
      this.seen.add(product.sku);
    }
    this.history = Array.from({ length: 8 + (id % 9) }, (_, at) => ({
      at: id * 1000 + at,
      path: `/catalogue/${(id * 13 + at) % 5000}`,
      status: 200,
      headers: { accept: 'text/html', etag: `"${id}-${at}"` },
    }));
    this.onClose = () => this.cart.clear();
    this.pending = Promise.resolve(this).then((session) => session.id);
  }
}

const products = Array.from({ length: 2000 }, (_, at) => ({
  sku: `sku-${at}`,
  title: `Product number ${at}`,
  price: at * 1.25,
  tags: [`tag ${at % 40}`, `group ${at % 7}`],
}));
const sessions = new Map();
const byEmail = {};
const meta = new WeakMap();
const bus = new EventEmitter().setMaxListeners(0);
const cache = [];

for (let id = 0; id < sessionCount; id += 1) {
  const session = new Session(id, products);
  sessions.set(session.id, session);
  byEmail[session.user.email] = session.user;
  if (id % 20 === 0) meta.set(session, { loadedAt: id });
  if (id % 10 === 0) bus.on('tick', session.onClose);
  if (id % 4 === 0)
    cache.push({ key: `rendered ${id}`, body: `<p>${'text '.repeat(4)}${id}</p>`, bytes: Buffer.alloc(64) });
  // What came later refers to what came before, and the other way round.
  if (id % 3 === 0 && id > 100) {
    const [older] = sessions
      .values()
      .drop((id * 7) % 50)
      .take(1);
    session.referrer = older;
    older.lastReferred = session;
  }
}

globalThis.service = { sessions, byEmail, meta, bus, cache, products };
writeHeapSnapshot(file);
