/** The door of `config/`: from what users write to what the daemon runs. */
export { findNameProblem, toAppName } from './app-name.ts';
export { maskEnv, selectCallerEnv } from './caller-env.ts';
export { checkConfig, type CheckedConfig, parseConfig, parseWhole, toConfigError } from './check.ts';
export { type BareCommand, parseBareCommand } from './command-line.ts';
export { defineConfig } from './define.ts';
export { findFileProblem } from './file-problem.ts';
export { type FoundNode, getNode } from './get-node.ts';
export { findConfigFile, inspectConfig, isConfigFile, loadConfig, type LoadedConfig } from './load.ts';
export { loadJsonSchema } from './load-json-schema.ts';
export { findChangedKeys, type KnownApp, planChanges } from './plan.ts';
export { formatProblem } from './problems.ts';
export { findDurationMs, findSizeBytes, formatDuration } from './quantity.ts';
export type { AppSettings, DroverConfig } from './schema.ts';
export { findNearest } from './suggest.ts';
export { assertRunnable } from './typescript-entry.ts';
export { unwrapProgram } from './unwrap.ts';
export { HEALTH_DEFAULTS } from './complete-health.ts';
