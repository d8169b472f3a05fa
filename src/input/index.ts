/** The door of `input`: what every reader of a diagnostic file needs, whatever the format. */
export { BadFile, type BadFileDetails } from './bad-file.ts';
export { openInput, type OpenOptions } from './open.ts';
export { any, array, type JsonShape, number, numbers, object, SKIP, string, WrongValue } from './json-shape.ts';
export { type JsonOptions, JsonStream, readJson } from './json-stream.ts';
export { NumberColumn } from './number-column.ts';
export { type OnEngineProgress, serveEngine } from './engine-child.ts';
export {
  defaultMemoryLimitBytes,
  EngineFailure,
  type EngineProgress,
  type EngineRun,
  runEngine,
} from './engine-process.ts';
export { type LineOptions, readLines } from './lines.ts';
export { readSource } from './read-source.ts';
export { type SourceMapOptions, SourceMaps, type SourcePlace } from './source-maps.ts';
