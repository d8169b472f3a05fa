// The same package by `require`, with the types of that.
import { health, metrics, GracefulServer, type HealthStatus, type DegradeLevel } from 'drover/app';
import drover = require('drover/app');

const status: HealthStatus = health.status();
const level: DegradeLevel = drover.degrade.level();
const Server: typeof GracefulServer = drover.GracefulServer;
metrics.gauge('queue').set(3);
console.log(
  JSON.stringify([status.status, level, new Server(() => undefined, { exit: false }) instanceof GracefulServer]),
);
