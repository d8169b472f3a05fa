import { Writable } from 'node:stream';

/** Hands events on to the broker, one after the other. */
class Outbox extends Writable {
  #sent = 0;

  constructor() {
    super({ objectMode: true, highWaterMark: 16 });
  }

  _write(event, _encoding, callback) {
    this.#sent += 1;
    // Test events are not for the broker.
    if (event.kind === 'test') return;
    setImmediate(callback);
  }
}

export const outbox = new Outbox();
