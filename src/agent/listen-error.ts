/** The error that Node gives when the kernel refuses a `listen`. */
import { getSystemErrorMap } from 'node:util';

export interface ListenError extends Error {
  code: string;
  errno: number;
  syscall: 'listen';
  address: string | null;
  port?: number;
}

/** `errno` is negative, as everywhere in Node. */
export function listenError(errno: number, address: string | null, port: number): ListenError {
  const [code, text] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const where = port > 0 ? ` ${address ?? '::'}:${port}` : address === null ? '' : ` ${address}`;
  const error = new Error(`listen ${code}: ${text}${where}`) as ListenError;
  Object.assign(error, { code, errno, syscall: 'listen', address: address ?? (port > 0 ? '::' : null) });
  if (port > 0) error.port = port;
  return error;
}
