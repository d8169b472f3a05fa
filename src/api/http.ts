/**
 * `node:http` without its price: importing it reads every export, and with them loads undici, 12 MB that the daemon
 * does not need (docs/decisions/builtin-modules.md).
 */
import type { RequestListener, Server } from 'node:http';

export const createServer = (onRequest: RequestListener): Server =>
  // On a Unix socket there is one host; without this Node refuses by itself, and without a document.
  process.getBuiltinModule('node:http').createServer({ requireHostHeader: false }, onRequest);
