import { Worker } from 'node:worker_threads';

const SCRIPT = new URL('./hash-worker.mjs', import.meta.url);
const MAX = 3;

class Pool {
  #idle = [];
  #waiting = [];
  #size = 0;
  #answers = new Map();
  #nextId = 1;

  run(text) {
    return new Promise((resolve) => {
      this.#waiting.push({ text, resolve });
      this.#assign();
    });
  }

  #assign() {
    if (this.#idle.length === 0 && this.#size < MAX && this.#waiting.length > this.#size) this.#start();
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const { text, resolve } = this.#waiting.shift();
      const id = this.#nextId++;
      this.#answers.set(id, resolve);
      this.#idle.shift().postMessage({ id, text });
    }
  }

  #start() {
    this.#size += 1;
    const worker = new Worker(SCRIPT, { execArgv: [] });
    worker.unref();
    worker.on('message', ({ id, digest }) => {
      this.#answers.get(id)(digest);
      this.#answers.delete(id);
      this.#idle.push(worker);
      this.#assign();
    });
    this.#idle.push(worker);
  }
}

const pool = new Pool();

export async function hashAll(number) {
  const texts = Array.from({ length: 20 }, (_, index) => `${number}/${index}`);
  const digests = await Promise.all(texts.map((text) => pool.run(text)));
  return digests.length;
}
