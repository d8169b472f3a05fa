/**
 * The key that a client gives a request which it may have to send again, as the draft of the IETF has it
 * (draft-ietf-httpapi-idempotency-key-header): a quoted string; without quotes, as many clients send it, it is
 * understood as well.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DroverError, type RequestKey } from '../protocol/index.ts';

export const KEY_HEADER = 'Idempotency-Key';
export const LONGEST_KEY = 200;

const KEY = new RegExp(String.raw`^(?:"([ !#-\[\]-~]{1,${LONGEST_KEY}})"|([!#-+\--~]{1,${LONGEST_KEY}}))$`);

/** Null without a key. `body` as it was read. Throws DROVER_REQUEST_INVALID for what is no key. */
export const readRequestKey = ({ method, url, headers }: IncomingMessage, body: unknown): RequestKey | null => {
  const header = headers[KEY_HEADER.toLowerCase()];
  if (header === undefined) return null;
  const [, quoted, bare] = KEY.exec(String(header)) ?? [];
  const key = quoted ?? bare;
  if (key === undefined) {
    const message = `${KEY_HEADER}: must be one string of 1 to ${LONGEST_KEY} printable characters`;
    throw new DroverError('DROVER_REQUEST_INVALID', { message });
  }
  const asked = JSON.stringify([method, url, body ?? null]);
  return { key, digest: createHash('sha256').update(asked).digest('base64url') };
};
