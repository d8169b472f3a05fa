import { userInfo } from 'node:os';
import { daemonCommand, findHome, makeHome, ownHome, writeBootUnit } from '../../client/index.ts';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { CliContext } from '../context.ts';
import { installUnit } from '../startup/install.ts';
import { findOtherUnit, type OtherUnit } from '../startup/other-unit.ts';
import { assertSystemd, ensureLinger } from '../startup/systemctl.ts';
import { endAsUnit, startAsUnit } from '../startup/take-over.ts';
import { findUnitPlace, type UnitPlace } from '../startup/unit-place.ts';
import { findPathProblem } from '../startup/unit-quote.ts';
import { renderUnit } from '../startup/unit-text.ts';
import { findWarnings } from '../startup/warnings.ts';
import { findCommandFile, readVersion } from '../version.ts';

interface Options {
  readonly user?: boolean;
  readonly print?: boolean;
  readonly remove?: boolean;
  readonly json?: boolean;
}

interface Plan {
  readonly place: UnitPlace;
  readonly home: string;
  readonly text: string;
  readonly warnings: readonly string[];
  /** A unit that would start beside this one; null where there is none. */
  readonly other: OtherUnit | null;
}

const uid = process.getuid?.() ?? -1;

const planOf = ({ user = false }: Options, { env }: CliContext): Plan => {
  const { home } = ownHome();
  const problem = findPathProblem(home);
  if (problem !== null) throw new DroverError('DROVER_HOME_UNUSABLE', { home, message: problem });
  const { DROVER_HOME: _, ...usual } = env;
  const scope = user ? 'user' : 'system';
  const place = findUnitPlace({ scope, home, usualHome: findHome({ env: usual, uid }), env });
  const daemon = daemonCommand();
  const command = findCommandFile();
  const runsAs = scope === 'user' || uid === 0 ? null : userInfo().username;
  const text = renderUnit({
    scope,
    home,
    daemon,
    upgrade: [process.execPath, command, 'daemon', 'upgrade'],
    user: runsAs,
    version: readVersion(),
  });
  const [node] = daemon;
  const entry = daemon.at(-1) ?? '';
  const isRoot = scope === 'system' && runsAs === null;
  return {
    place,
    home,
    text,
    warnings: findWarnings({ node, entry, command, isRoot, env }),
    other: findOtherUnit({ place, home, env, isRoot: uid === 0 }),
  };
};

/** Null: nothing would start beside it. */
const besideError = ({ other, home }: Plan): DroverError | null => {
  if (other === null) return null;
  const { unit, file, removal } = other;
  return new DroverError('DROVER_UNIT_BESIDE', { unit, file, home, removal });
};

/** Throws DROVER_NOT_ALLOWED or DROVER_SYSTEMD_MISSING. */
const assertPossible = ({ scope, unit, file }: UnitPlace, isRemoval: boolean): void => {
  if (process.platform !== 'linux') throw new DroverError('DROVER_SYSTEMD_MISSING');
  if (scope === 'system' && uid !== 0)
    throw new DroverError('DROVER_NOT_ALLOWED', {
      message: `Only root may change ${file}.`,
      advice: isRemoval
        ? `Try \`sudo systemctl disable ${unit}\` and remove the file, or \`drover startup --remove --user\` for a unit of your own.`
        : `\`drover startup --user\` makes a unit of your own. For one of the machine that runs as you: \`drover startup --print | sudo tee ${file}\`, then \`sudo systemctl enable --now ${unit}\`.`,
    });
  assertSystemd();
};

const print = (context: CliContext, plan: Plan, isJson: boolean): void => {
  const { place, text } = plan;
  const beside = besideError(plan);
  const warnings = [...plan.warnings, ...(beside === null ? [] : [`${beside.message} ${beside.hint ?? ''}`])];
  if (isJson) return context.print(JSON.stringify({ ...place, text, warnings }));
  context.print(text.trimEnd());
  for (const warning of warnings) context.note(`Warning: ${warning}`);
};

const install = async (context: CliContext, plan: Plan, isJson: boolean): Promise<void> => {
  const { place, home, text } = plan;
  assertPossible(place, false);
  const beside = besideError(plan);
  if (beside !== null) throw beside;
  makeHome(home);
  await installUnit(place, text, home);
  const tookOver = await startAsUnit(context, place, home);
  writeBootUnit(home, { scope: place.scope, unit: place.unit });
  const { pid, workers } = await (await context.connect()).daemonStatus();
  const warnings = [...plan.warnings, ...(place.scope === 'user' ? await findSessionProblem() : [])];
  if (isJson) return context.print(JSON.stringify({ ...place, enabled: true, pid, tookOver, warnings }));
  context.print(`Wrote ${place.file}`);
  context.print(`Enabled ${place.unit}: Drover and its apps start with the machine.`);
  const kept = `, and its ${workers} ${workers === 1 ? 'worker' : 'workers'} went on`;
  context.print(`The daemon (pid ${pid}) is run by systemd now${tookOver ? kept : ''}.`);
  for (const warning of warnings) context.note(`Warning: ${warning}`);
};

/** A user's manager ends with the last session, unless the user lingers. */
const findSessionProblem = async (): Promise<string[]> => {
  const { username } = userInfo();
  if (await ensureLinger(username)) return [];
  return [
    `Without lingering, systemd starts your services when you log in, and ends them when you log out. Run \`sudo loginctl enable-linger ${username}\`.`,
  ];
};

const remove = async (context: CliContext, { place, home }: Plan, isJson: boolean): Promise<void> => {
  assertPossible(place, true);
  const { removed, pid } = await endAsUnit(context, place, home);
  if (isJson) return context.print(JSON.stringify({ ...place, removed, pid }));
  context.print(removed ? `Removed ${place.file}` : `There was no ${place.file}.`);
  if (pid !== null) context.print(`The daemon (pid ${pid}) goes on with its workers, without systemd.`);
};

export const command = defineCommand<Options>({
  args: [],
  options: [
    { flags: '--user', about: 'a unit of your own, run by your own systemd, without root' },
    { flags: '--print', about: 'only print the unit' },
    { flags: '--remove', about: 'remove the unit again; apps that run go on' },
    JSON_OPTION,
  ],
  details:
    'Writes and enables a systemd unit for the daemon, and lets systemd run it from now on; apps that run already are not disturbed. At boot the daemon starts every app that was not stopped. `systemctl stop` stops the apps with it, politely; `systemctl restart` replaces only the daemon.',
  examples: [
    ['sudo drover startup', 'Drover of root, with the machine'],
    ['drover startup --user', 'your own Drover, without root'],
    ['drover startup --print', 'what the unit would say'],
  ],
  run: async (context, { options }) => {
    const { print: isPrint = false, remove: isRemoval = false, json: isJson = false } = options;
    if (isPrint && isRemoval)
      throw new DroverError('DROVER_USAGE', { message: '`--print` and `--remove` exclude each other.' });
    const plan = planOf(options, context);
    if (isPrint) print(context, plan, isJson);
    else if (isRemoval) await remove(context, plan, isJson);
    else await install(context, plan, isJson);
    return 0;
  },
});
