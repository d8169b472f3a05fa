import { on, EventEmitter } from 'node:events';
import { startSpan } from './tracing.mjs';

const broker = new EventEmitter();

async function consume() {
  for await (const [message] of on(broker, 'message')) {
    const span = startSpan(`handle ${message.topic}`)
      .set('offset', message.offset)
      .set('key', `k-${message.offset % 11}`);
    message.acknowledge(message.offset);
    span.end();
  }
}

consume();

export function deliver(number) {
  return new Promise((acknowledge) => {
    broker.emit('message', { topic: `orders-${number % 4}`, offset: number, acknowledge });
  });
}
