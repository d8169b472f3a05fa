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
  /(pass(word|wd|phrase)?|secret|token|credential|auth|cookie|session|private|signature|salt|dsn|(api|access|encryption|signing|master|license)_?key|_key$|^key$)/i;
const MASK = '••••••';

/** Hides what looks like a secret by its name, and passwords inside URLs by their shape. */
export const maskEnv = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && value !== ''
        ? MASK
        : value.replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^:/?#@\s]*:)[^@/\s]+@/gi, `$1${MASK}@`),
    ]),
  );
