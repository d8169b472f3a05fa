/** The door of `protocol/`: words on the wires. Types and tables only; nothing here does I/O. */
export * from './agent.ts';
export * from './alert-documents.ts';
export type { SilencePart } from './alert-errors.ts';
export * from './alert-records.ts';
export * from './app-config.ts';
export * from './app-meeting.ts';
export type { CatalogueEntry, ErrorData } from './catalogue.ts';
export * from './documents.ts';
export * from './errors.ts';
export type { Exit, ExitCause } from './exit.ts';
export * from './health-documents.ts';
export { levelOf, LOG_LEVELS } from './log-level.ts';
export { messageOf } from './message-of.ts';
export * from './records.ts';
export type { Clock } from './time.ts';
export * from './traffic.ts';
