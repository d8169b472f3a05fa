import { AsyncLocalStorage } from 'node:async_hooks';

const tracing = new AsyncLocalStorage();
let nextId = 1;

class Span {
  constructor(name, parent) {
    this.id = nextId++;
    this.name = name;
    this.parent = parent;
    this.startedAt = performance.now();
    this.attributes = {};
  }

  set(key, value) {
    this.attributes[key] = value;
    return this;
  }

  end() {
    this.tookMs = performance.now() - this.startedAt;
  }
}

export function startSpan(name) {
  const span = new Span(name, tracing.getStore());
  tracing.enterWith(span);
  return span;
}
