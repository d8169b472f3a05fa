// `require` and `import` of the same package in one process.
const { health, degrade, metrics } = require('drover/app');

void (async () => {
  const module = await import('drover/app');
  module.health.register('database', () => false, { critical: true });
  module.metrics.counter('orders_total').inc();
  await health.check();
  const { status, reason } = health.status();
  console.log(
    JSON.stringify([
      status,
      reason,
      degrade.level(),
      (await metrics.list()).map(({ name }) => name),
      module.drover.ready === module.ready,
    ]),
  );
})();
