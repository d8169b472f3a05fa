import { EventEmitter, once } from 'node:events';

const bus = new EventEmitter();
const stopping = new AbortController();

class Follower {
  constructor(deployment) {
    this.deployment = deployment;
    this.seen = [];
    this.onStep = (step) => this.seen.push(step);
    bus.on(`step:${deployment}`, this.onStep);
  }

  close() {
    bus.off(`step:${this.deployment}`, this.onStep);
  }
}

function deploy(id) {
  for (const step of ['fetch', 'build', 'switch']) bus.emit(`step:${id}`, { step, at: Date.now() });
  setImmediate(() => bus.emit(`done:${id}`, { id, ok: true }));
}

export async function followDeployment(number) {
  const id = `d-${number}`;
  const follower = new Follower(id);
  const done = once(bus, `done:${id}`, { signal: stopping.signal });
  deploy(id);
  const [result] = await done;
  follower.close();
  return { result, steps: follower.seen.length };
}
