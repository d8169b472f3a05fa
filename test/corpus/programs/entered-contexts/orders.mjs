import { consume } from './consumer.mjs';

class Source {
  #waiting;
  #answer;

  next() {
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  done(span) {
    this.#answer(span.tookMs);
  }

  deliver(message) {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#waiting(message);
    });
  }
}

const source = new Source();
consume(source).catch(console.error);
await new Promise((resolve) => setImmediate(resolve));

export const deliver = (number) => source.deliver({ number, body: `order ${number}` });
