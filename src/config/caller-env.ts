/**
 * What an app takes over from its caller's environment, and how environments are shown. Nothing comes from the
 * daemon's own: it may have been started by anybody, at any time.
 */
import type { AppConfig } from '../protocol/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const BASIC = /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR)$/;
/** Belong to the process that called, never to its successors: channels and marks of Node, pm2 and Drover. */
const PERSONAL =
  /^(NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|NODE_UNIQUE_ID|NODE_APP_INSTANCE|pm_id|DROVER_(APP|WORKER|SLOT|RELEASE|AGENT|SPAWN))$/;

/** The part of the caller's environment that an app with this `inheritEnv` gets. */
export const selectCallerEnv = (inheritEnv: AppConfig['inheritEnv'], env: Environment): Record<string, string> => {
  const isWanted = (name: string): boolean =>
    !PERSONAL.test(name) &&
    (inheritEnv === true || BASIC.test(name) || (inheritEnv !== false && inheritEnv.includes(name)));
  const selected: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && isWanted(name)) selected[name] = value;
  return selected;
};

const SECRET_NAME =
  /(pass(word|wd|phrase)?|pwd|secret|token|credential|auth|cookie|session|private|signature|salt|dsn|(api|access|encryption|signing|master|license)_?key|_key$|^key$)/i;
/** Where a shell stands and stood. */
const DIRECTORY_NAME = /^(OLD)?PWD$/;
const MASK = '••••••';

const PASSWORD_IN_URL = /([a-z][a-z0-9+.-]*:\/\/[^:/?#@\s]*:)[^@/\s]+@/gi;
/** On the web a user without a password is a token; elsewhere (`ssh://git@…`, `postgres://app@…`) it is a name. */
const TOKEN_IN_URL = /(\bhttps?:\/\/)[^:/?#@\s]+:?@/gi;

/** Hides what looks like a secret by its name, and passwords and tokens inside URLs by their shape. */
export const maskEnv = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      isSecret(name) && value !== ''
        ? MASK
        : value.replaceAll(PASSWORD_IN_URL, `$1${MASK}@`).replaceAll(TOKEN_IN_URL, `$1${MASK}@`),
    ]),
  );

const isSecret = (name: string): boolean => SECRET_NAME.test(name) && !DIRECTORY_NAME.test(name);
