/** The door of `logs/`: files for workers' output, their time indices, and readers over both. */
export { openLogs } from './logs.ts';
export { DEFAULT_BUDGET, DEFAULT_LIMITS } from './limits.ts';
export type { LogBudget, LogLimits } from './limits.ts';
export type { RotationStep } from './rotation.ts';
export type { Logs, LogsOptions } from './logs.ts';
export { groupLines, intoRecords } from './group-lines.ts';
export { lastLines, readLogs, UNFINISHED_LINE_MS } from './read-logs.ts';
export type { ReadLogsOptions } from './read-logs.ts';
export { LAST_WORDS, readLastWords } from './last-words.ts';
export type { LogFile, LogStream } from './log-file.ts';
export { isKept } from './worker-log.ts';
export type { WorkerLog, WorkerLogOptions } from './worker-log.ts';
export { CUT_MARK, LINE_LIMIT_BYTES } from './line-splitter.ts';
