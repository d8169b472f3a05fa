import { shutdown } from './shutdown-hooks.mjs';

class Consumer {
  constructor(topic) {
    this.topic = topic;
    this.offsets = new Map(Array.from({ length: 10 }, (_, partition) => [partition, 0]));
    shutdown.add(this.close.bind(this));
  }

  poll() {
    for (const [partition, offset] of this.offsets) this.offsets.set(partition, offset + 1);
    return this.offsets.size;
  }

  async close() {
    this.offsets.clear();
  }
}

export async function consume(n) {
  const consumer = new Consumer(`topic-${n % 5}`);
  const polled = consumer.poll();
  await consumer.close();
  return polled;
}
