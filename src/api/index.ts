/** The door of `api/`: the interface that the daemon implements, and the server that speaks for it. */
export type * from './service.ts';
