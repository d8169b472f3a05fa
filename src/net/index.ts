/** The door of `net/`: listening sockets, shards and weights. The only room that knows sockets. */
export { describeAddress } from './address.ts';
export type { LaneWeights, Load } from './app-traffic.ts';
export { openDataPath } from './data-path.ts';
export type { AdoptPortRequest, DataPath, DataPathEvent, DataPathOptions, OpenPortRequest } from './data-path.ts';
export { sweepPrivateSockets } from './private-sockets.ts';
export type { KeptDescriptor, Port, PortView, PrivateSocket, ShardSocket } from './port.ts';
