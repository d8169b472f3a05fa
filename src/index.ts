/** The package's door: `defineConfig` for configuration files, and the typed client of the daemon. */
export {
  type ClientOptions,
  createClient,
  type DroverClient,
  type EventRequest,
  type LogRequest,
} from './client/index.ts';
export { type AppSettings, defineConfig, type DroverConfig } from './config/index.ts';
export { DroverError, type ErrorCode } from './protocol/index.ts';
export type {
  AppDetailDocument,
  AppDocument,
  AppListDocument,
  DaemonDocument,
  EnvDocument,
  ErrorDocument,
  EventDocument,
  HealthDocument,
  LogLineDocument,
  OperationDocument,
  PlanDocument,
  ReceiptDocument,
  WhyDocument,
  WorkerDocument,
} from './protocol/index.ts';
