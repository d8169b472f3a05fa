/** The door of `api/`: the interface that the daemon implements, and the server that speaks for it. */
export { type ApiOptions, type ApiServer, serveApi } from './server.ts';
export { type HealthServer, type HealthSource, serveHealth } from './health-server.ts';
export { findConfigProblem } from './find-config-problem.ts';
export { parseTarget } from './target.ts';
export type * from './service.ts';
