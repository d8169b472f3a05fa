const fastify = require('fastify');

class LinkedCache {
  constructor(limit) {
    this.limit = limit;
    this.size = 0;
    this.entries = Object.create(null);
    this.head = { key: null, value: null, previous: null, next: null };
    this.tail = { key: null, value: null, previous: this.head, next: null };
    this.head.next = this.tail;
  }

  get(key) {
    const entry = this.entries[key];
    if (entry === undefined) return undefined;
    this.#unlink(entry);
    this.#linkFirst(entry);
    return entry.value;
  }

  set(key, value) {
    const entry = { key, value, previous: null, next: null };
    this.entries[key] = entry;
    this.#linkFirst(entry);
    this.size += 1;
    if (this.size <= this.limit) return;
    const oldest = this.tail.previous;
    this.#unlink(oldest);
    delete this.entries[oldest.key];
    this.size -= 1;
  }

  #unlink(entry) {
    entry.previous.next = entry.next;
    entry.next.previous = entry.previous;
  }

  #linkFirst(entry) {
    entry.previous = this.head;
    entry.next = this.head.next;
    this.head.next.previous = entry;
    this.head.next = entry;
  }
}

const profiles = new LinkedCache(150);
const app = fastify();

app.get('/profile/:id', async (request) => {
  const { id } = request.params;
  let profile = profiles.get(id);
  if (profile === undefined) {
    profile = { id, name: `Person ${id}`, interests: ['go', `topic ${id % 13}`], joined: 2000 + (id % 20) };
    profiles.set(id, profile);
  }
  return profile;
});

app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
