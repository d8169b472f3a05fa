const counters = { requests: 0, flushes: 0 };

function scheduleFlush() {
  const timer = setTimeout(() => {
    counters.flushes += 1;
    scheduleFlush();
  }, 60_000);
  timer.unref();
}

export function countRequest() {
  counters.requests += 1;
  scheduleFlush();
}
