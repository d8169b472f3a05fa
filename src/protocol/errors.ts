/**
 * The error catalogue. One entry per failure: HTTP status, exit code, message and advice. Codes are API and never
 * change meaning; messages may. `docs/errors.md` is generated from this table.
 */

import { ALERT_ERRORS } from './alert-errors.ts';
import { type CatalogueEntry, entry, type ErrorData } from './catalogue.ts';
import type { ErrorDocument } from './documents.ts';
import { FILE_ERRORS } from './file-errors.ts';
import { UPGRADE_ERRORS } from './upgrade-errors.ts';

export const ERRORS = {
  DROVER_USAGE: entry(
    400,
    2,
    'A command line that does not make sense.',
    (d) => String(d['message']),
    (d) => (d['suggestion'] ? `Did you mean \`${String(d['suggestion'])}\`?` : 'See `drover help`.'),
  ),
  DROVER_NOT_AVAILABLE: entry(
    501,
    2,
    'A documented command, option or key that this version does not have yet.',
    (d) => `${String(d['what'])} is not available in this version of Drover.`,
    () => 'It is planned; see CHANGELOG.md for what this version has.',
  ),
  DROVER_CONFIG_INVALID: entry(
    400,
    2,
    'A configuration file with a wrong key or value.',
    (d) => `The configuration is not valid: ${String(d['message'])}`,
    () => 'Check it with `drover config check`.',
  ),
  DROVER_CONFIG_UNREADABLE: entry(
    400,
    2,
    'A configuration file that is missing, throws, hangs, exits or is too big.',
    (d) => `The configuration file ${String(d['file'])} could not be read: ${String(d['message'])}`,
    ({ isThere, line }) => {
      if (isThere !== true) return 'Create one with `drover init`, or name the file: `drover start <file>`.';
      if (line !== undefined) return `Begin it with \`${String(line)}\``;
      return 'Mend it, and try it with `drover config check <file>`.';
    },
  ),
  DROVER_REQUEST_INVALID: entry(
    400,
    2,
    'An API request whose path, query or body does not fit its schema.',
    (d) => `The request is not valid: ${String(d['message'])}`,
    () => 'See /v1/openapi.json.',
  ),
  DROVER_ROUTE_UNKNOWN: entry(
    404,
    2,
    'An API request for a path that does not exist.',
    (d) => `There is no ${String(d['method'])} ${String(d['path'])}.`,
    () => 'See /v1/openapi.json.',
  ),
  DROVER_APP_UNKNOWN: entry(
    404,
    3,
    'A command that names an app that is not there.',
    (d) => `There is no app called ${JSON.stringify(d['app'])}.`,
    (d) =>
      d['suggestion']
        ? `Did you mean \`${String(d['suggestion'])}\`? \`drover ls\` lists the apps.`
        : '`drover ls` lists the apps.',
  ),
  DROVER_WORKER_UNKNOWN: entry(
    404,
    3,
    'A command that names a worker that is not there.',
    (d) => `There is no worker ${JSON.stringify(d['worker'])}.`,
    () => '`drover ls` lists the workers.',
  ),
  DROVER_OPERATION_UNKNOWN: entry(
    404,
    3,
    'An operation id that is not known.',
    (d) => `There is no operation ${JSON.stringify(d['operation'])}.`,
    () => '`drover operation` lists them.',
  ),
  DROVER_APP_EXISTS: entry(
    409,
    2,
    'Starting an app under a name that another file or script owns.',
    (d) => `The name ${JSON.stringify(d['app'])} belongs to ${String(d['owner'])}.`,
    (d) =>
      d['file'] === null
        ? `Choose another name with \`--name\`, or \`drover delete ${String(d['app'])}\` first.`
        : `Give the app another name in ${d['file'] === undefined ? 'the file' : String(d['file'])}, or \`drover delete ${String(d['app'])}\` first.`,
  ),
  DROVER_APP_CHANGED: entry(
    409,
    2,
    '`start` of an app that runs with another configuration.',
    (d) => `${String(d['app'])} is running with a different configuration (${String(d['keys'])}).`,
    (d) =>
      d['file'] === null || d['file'] === undefined
        ? `\`drover scale ${String(d['app'])} <n>\` changes the number of workers; for anything else \`drover delete ${String(d['app'])}\` first, or choose another name with \`--name\`.`
        : 'See the plan above; `drover apply` carries it out, `drover reload` keeps the running configuration.',
  ),
  DROVER_PRUNE_REFUSED: entry(
    409,
    2,
    '`apply` of an empty list of apps without `--prune`.',
    () => 'The file lists no apps, and applying it would remove every app that came from it.',
    () => 'Add `--prune` if that is what you want.',
  ),
  DROVER_PORT_TAKEN: entry(
    409,
    1,
    'A port that another process already holds.',
    (d) =>
      `${String(d['address'])} is taken${d['pid'] || d['command'] ? ` by ${String(d['command'] ?? 'a process')}` : ''}${d['pid'] ? ` (pid ${String(d['pid'])})` : ''}.`,
    () => 'Stop what holds it, or let the app listen elsewhere.',
  ),
  DROVER_BUSY: entry(
    409,
    1,
    'A second operation on an app while one is under way.',
    (d) => `${String(d['app'])} is busy with ${String(d['kind'])} (operation ${String(d['operation'])}).`,
    (d) => `Wait for it: \`drover operation ${String(d['operation'])}\`.`,
  ),
  DROVER_KEY_REUSED: entry(
    422,
    1,
    'A request with the `Idempotency-Key` of another one that asked for something else.',
    (d) => `The key ${JSON.stringify(d['key'])} belongs to another request: it asked for something else.`,
    () => 'Give each request a key of its own, and send the same one again only with the same request.',
  ),
  DROVER_SCRIPT_MISSING: entry(
    400,
    2,
    'A script or program that cannot be started because it is not there.',
    (d) => `${String(d['script'])} ${String(d['problem'] ?? 'does not exist')}.`,
    () => 'Name a file that Node can run, or a program with `drover start -- <program>`.',
  ),
  DROVER_NODE_MISSING: entry(
    400,
    2,
    'The version of Node that an app asks for is not installed.',
    (d) => `Node ${String(d['wanted'])} was not found (looked in ${String(d['looked'])}).`,
    () => 'Install it with your version manager; Drover never downloads it.',
  ),
  DROVER_LOADER_NEEDED: entry(
    400,
    2,
    'A TypeScript entry on a Node that cannot run it.',
    (d) => `${String(d['script'])} is TypeScript, and Node ${String(d['node'])} cannot run that by itself.`,
    () => "Use Node 22.18 or later (`node: '24'`), or add a loader: `nodeArgs: ['--import', 'tsx']`.",
  ),
  DROVER_INSTANCES_REFUSED: entry(
    400,
    2,
    'Several instances of a program without an agent on one port.',
    (d) => `${String(d['app'])} is not a Node program: ${String(d['instances'])} instances cannot share one port.`,
    () => 'Use one instance, or let each take `PORT` (+ slot) or `LISTEN_FDS`.',
  ),
  DROVER_USER_UNKNOWN: entry(
    400,
    2,
    '`user:` names nobody on this machine.',
    (d) => `There is no user ${JSON.stringify(d['user'])}.`,
    () => 'Create it, or remove `user:`.',
  ),
  DROVER_NOT_ALLOWED: entry(
    403,
    5,
    'The operating system or Drover refuses the caller.',
    (d) => String(d['message']),
    (d) => (d['advice'] ? String(d['advice']) : null),
  ),
  DROVER_DAEMON_UNREACHABLE: entry(
    503,
    4,
    'The daemon is not running or does not answer.',
    (d) => `The daemon is not answering on ${String(d['socketPath'])}.`,
    (d) => (d['advice'] ? String(d['advice']) : 'Start it with `drover daemon start`.'),
  ),
  DROVER_DAEMON_START: entry(
    503,
    4,
    'The daemon could not be started.',
    (d) => `The daemon did not start: ${String(d['message'])}`,
    (d) => `Its log is ${String(d['log'])}.`,
  ),
  DROVER_HOME_UNUSABLE: entry(
    503,
    4,
    'A home that is no folder, or that cannot be made.',
    (d) => `Drover’s home ${String(d['home'])} cannot be used: ${String(d['message'])}.`,
    () => 'Choose another one with `DROVER_HOME`.',
  ),
  DROVER_DAEMON_ENDING: entry(
    503,
    4,
    'A change that is asked for while the daemon stops its workers and ends.',
    () => 'The daemon is stopping, and begins nothing new.',
    () => 'Ask again once it has stopped.',
  ),
  DROVER_DAEMON_RUNNING: entry(
    409,
    1,
    'A second daemon on the same home.',
    (d) => `A daemon is already running for ${String(d['home'])} (pid ${String(d['pid'])}).`,
    null,
  ),
  DROVER_TIMEOUT: entry(
    504,
    6,
    'Something took longer than it may.',
    (d) => `${String(d['what'])} took longer than ${String(d['limit'])}.`,
    (d) => (d['advice'] === undefined ? null : String(d['advice'])),
  ),
  DROVER_OPERATION_FAILED: entry(
    500,
    1,
    'An operation ended without what was asked for.',
    (d) => `${String(d['kind'])} of ${String(d['app'])} failed: ${String(d['reason'])}`,
    (d) =>
      d['app']
        ? `\`drover why ${String(d['app'])}\` tells more; \`drover logs ${String(d['app'])}\` shows its output.`
        : null,
  ),
  DROVER_PUT_BACK: entry(
    500,
    7,
    'An operation failed after it had changed something, and was put back.',
    (d) => `${String(d['kind'])} of ${String(d['app'])} was put back: ${String(d['reason'])}`,
    () => 'The old version serves.',
  ),
  DROVER_ABORTED: entry(
    409,
    1,
    'An operation was aborted by the user.',
    (d) => `${String(d['kind'])} of ${String(d['app'])} was aborted.`,
    null,
  ),
  DROVER_STATE_UNREADABLE: entry(
    500,
    1,
    'The state database cannot be opened or read.',
    (d) => `The state in ${String(d['file'])} cannot be read: ${String(d['message'])}`,
    (d) =>
      d['isDamaged'] === true
        ? 'There is no backup to fall back to. Put a good copy there; or move the file away to begin anew, and apply your configuration files again.'
        : null,
  ),
  DROVER_STATE_NEWER: entry(
    500,
    1,
    'The state was written by a newer Drover than this one: a downgrade.',
    (d) =>
      `The state in ${String(d['file'])} was written by a newer Drover (schema ${String(d['schema'])}, this one knows ${String(d['known'])}): ${d['writer'] ? `${String(d['writer'])} had it last` : 'which one is not known'}, this is ${String(d['version'])}.`,
    (d) =>
      `Install ${d['writer'] ? `Drover ${String(d['writer'])}` : 'that version'} or a later one again. To go back all the same, put the newest backup of schema ${String(d['known'])} or below (\`-s${String(d['known'])}-\` in its name, in \`backups/\` beside the file) in the file's place, and move newer backups away; what happened since is lost.`,
  ),
  DROVER_STATE_UNWRITABLE: entry(
    507,
    1,
    'A change that cannot be written down first: the disk is full, read-only or failing. What runs goes on.',
    (d) =>
      `The change was refused, because the state in ${String(d['file'])} cannot be written: ${String(d['message'])}.`,
    (d) =>
      d['isDamaged'] === true
        ? 'What runs goes on. `drover daemon stop --keep-workers`, then `drover daemon start`, falls back to the newest good backup.'
        : 'Nothing was changed, and what runs goes on. Make room (or the file system writable) and try again; `drover daemon status` tells.',
  ),
  ...UPGRADE_ERRORS,
  ...ALERT_ERRORS,
  ...FILE_ERRORS,
  DROVER_SYSTEMD_MISSING: entry(
    501,
    1,
    '`startup` on a machine whose first process is not systemd, such as most containers.',
    () => 'This machine is not run by systemd, so there is nothing that a unit could be given to.',
    () =>
      'In a container let `drover run` be the command. With another service manager let it run `drover daemon start` at boot; `drover startup --print` prints the unit all the same.',
  ),
  DROVER_SYSTEMCTL: entry(
    500,
    1,
    'systemd refused what `startup` asked of it.',
    (d) => `\`${String(d['command'])}\` failed: ${String(d['message'])}`,
    (d) =>
      d['hasNoManager'] === true
        ? 'This session has no manager of its own (after `su` or `sudo`, for example). Log in as this user, or let root run `loginctl enable-linger <user>` and set `XDG_RUNTIME_DIR=/run/user/<uid>`.'
        : '`systemctl status` and `journalctl -u` with the name of the unit tell more.',
  ),
  DROVER_UNIT_TAKEN: entry(
    409,
    2,
    'A unit file of that name which `startup` did not write, or wrote for another home.',
    (d) => `${String(d['file'])} is there already, and not the unit of this home.`,
    () => 'Rename or remove it, or compare it with `drover startup --print`.',
  ),
  DROVER_UNIT_BESIDE: entry(
    409,
    2,
    '`startup` of a home for which there is a unit already, of the other scope or under another name.',
    (d) =>
      `${String(d['unit'])} (${String(d['file'])}) starts the daemon of ${String(d['home'])} already: both would start with the machine, and fight for the home.`,
    (d) => `Keep that one, or remove it first: \`${String(d['removal'])}\`.`,
  ),
  DROVER_PLATFORM: entry(
    501,
    2,
    'An operating system that Drover does not run on.',
    (d) => `Drover does not run on ${String(d['platform'])}.`,
    () => 'Use Linux, macOS for development, or WSL 2 on Windows.',
  ),
  DROVER_NODE_TOO_OLD: entry(
    501,
    2,
    'The Node that runs Drover is too old and no newer one was found.',
    (d) => `Drover needs Node 22.18 or later; this is ${String(d['version'])}.`,
    () => 'Install a newer Node, or `npm install node@24` beside Drover.',
  ),
  DROVER_INTERNAL: entry(
    500,
    1,
    'A defect in Drover.',
    (d) => `Something went wrong inside Drover: ${String(d['message'])}`,
    () => "Please report it with `drover daemon status` and the daemon's log.",
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Messages repeat what was typed or read, of which the beginning is enough to know it again. */
const LONGEST_LINE = 1_000;
const clipLines = (text: string): string =>
  text.length <= LONGEST_LINE
    ? text
    : text.replaceAll(/.+/g, (line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));

/** A failure from the catalogue. `code` identifies it, also across processes; `data` fills the message. */
const MARK = Symbol.for('drover.error');

export class DroverError extends Error {
  /** The command line is bundled and the daemon's engine is not (`drover run` has both): one class, known by its mark. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && MARK in value;
  }

  readonly [MARK] = true;
  override readonly name = 'DroverError';
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, data: ErrorData = {}, options?: { readonly cause?: unknown }) {
    super(clipLines(ERRORS[code].message(data)), options);
    this.code = code;
    this.data = data;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  get httpStatus(): number {
    return ERRORS[this.code].http;
  }

  get hint(): string | null {
    return ERRORS[this.code].hint?.(this.data) ?? null;
  }
}

/** An error as the API and `--json` tell it. */
export const toErrorDocument = (error: DroverError): ErrorDocument => ({
  error: {
    code: error.code,
    message: error.message,
    hint: error.hint,
    docs: `docs/errors.md#${error.code.toLowerCase()}`,
    data: error.data,
  },
});

/** The same error on the other side of the wire; one that this version does not know keeps its message. */
export const fromErrorDocument = ({ error }: ErrorDocument): DroverError =>
  Object.hasOwn(ERRORS, error.code)
    ? new DroverError(error.code as ErrorCode, error.data)
    : new DroverError('DROVER_INTERNAL', { message: `${error.code}: ${error.message}` });
