/**
 * The door of `runtime/`: what the agent and `drover/app` both do inside a process. `node:*` only, and nothing that an
 * app did not load itself beyond `diagnostics_channel`, `net` and `perf_hooks`.
 */
export { monotonicMs } from './clock.ts';
export { Drain } from './drain.ts';
export type { DrainOptions, DrainScope } from './drain.ts';
export {
  BUCKET_COUNT,
  boundsOf,
  bucketOf,
  countOf,
  Histogram,
  mergeHistograms,
  percentile,
  subtractHistogram,
} from './histogram.ts';
export type { SparseHistogram } from './histogram.ts';
export { readDetail } from './detail.ts';
export { HeapAfterGc } from './heap-after-gc.ts';
export { type Http2Session, Http2Sessions } from './http2.ts';
export { DelaySampler, RuntimeMeter } from './measures.ts';
export { FLAG_IPV6_ONLY, FLAG_REUSE_PORT, hasLoaded, protocolOf } from './node-internals.ts';
export type {
  ClientHandle,
  HttpResponse,
  IpcPipe,
  Listen2,
  NetModule,
  NetServer,
  NetSocket,
  ServerHandle,
  ServerProtocol,
  SocketName,
} from './node-internals.ts';
export { closeAfter } from './closing.ts';
export { RequestMeter } from './requests.ts';
export { ROUTE, Routes } from './routes.ts';
export type { RoutedRequest } from './routes.ts';
export { sumCounters } from './sum-counters.ts';
export { sumDrops } from './sum-drops.ts';
export { Upgrades } from './upgrades.ts';
