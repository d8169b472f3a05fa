const CircuitBreaker = require('opossum');

const breakers = new Map();

async function call(host, path) {
  await new Promise((resolve) => setImmediate(resolve));
  if (path.endsWith('7')) throw new Error(`${host} is ill`);
  return { host, path };
}

/** One breaker per host, made when the host is first asked. */
exports.ask = async function ask(number) {
  const host = `service-${number % 6}.internal`;
  let breaker = breakers.get(host);
  if (breaker === undefined) {
    breaker = new CircuitBreaker(call, {
      errorThresholdPercentage: 60,
      rollingCountTimeout: 2000,
      volumeThreshold: 500,
    });
    breaker.fallback(() => ({ host, path: '/' }));
    breakers.set(host, breaker);
  }
  return breaker.fire(host, `/items/${number}`);
};
