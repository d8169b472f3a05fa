/** The door of `health/`: how the apps of a daemon are, what is told of that, and what is done about it. */
export { openCare } from './care.ts';
export type { Care } from './care.ts';
export { openHealth } from './health.ts';
export type { Health } from './health.ts';
