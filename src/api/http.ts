/**
 * `node:http` without its price: importing it reads every export, and with them loads undici, 12 MB that the daemon
 * does not need (docs/decisions/builtin-modules.md).
 */
import type { RequestListener, Server } from 'node:http';

export const createServer = (onRequest: RequestListener): Server =>
  process.getBuiltinModule('node:http').createServer(onRequest);
