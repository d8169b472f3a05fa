/**
 * A route guessed from a path, where no framework tells it: parts that look like somebody's id become `:id`. It errs towards
 * `:id`, because a part too many merges two routes, while one too few makes a route of each request.
 */

const MAX_PARTS = 8;
const MAX_LENGTH = 200;

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
const HEX = /^(?=.*\d)[\da-f]{8,}$/i;
/** `order-12345`, `2024-01-31`, but not `v2` and `oauth2`. */
const MANY_DIGITS = /(?:\d\D*){4}/;
/** What nobody would write into a router. */
const ODD = /[^\w.~-]/;
const MAX_PLAIN_LENGTH = 32;

export function guessRoute(url: string): string {
  const end = url.search(/[?#]/);
  const path = end === -1 ? url : url.slice(0, end);
  if (!path.startsWith('/')) return path === '*' ? '*' : '/';
  const parts = path.slice(0, 4096).split('/').slice(1);
  const shown = parts.slice(0, MAX_PARTS).map((part) => (isId(part) ? ':id' : part));
  if (parts.length > MAX_PARTS) shown.push('*');
  return `/${shown.join('/')}`.slice(0, MAX_LENGTH);
}

function isId(part: string): boolean {
  if (part === '') return false;
  return (
    /^\d+$/.test(part) ||
    part.length > MAX_PLAIN_LENGTH ||
    UUID.test(part) ||
    HEX.test(part) ||
    MANY_DIGITS.test(part) ||
    ODD.test(part)
  );
}
