import { constants } from 'node:os';
import { DroverError } from '../../protocol/index.ts';
import { defineCommand, JSON_OPTION, TARGET_ARGUMENT } from '../command.ts';

const NAMES = Object.keys(constants.signals);

/** `HUP`, `sighup`, `1`: the name that the system knows. */
const parseSignal = async (text: string): Promise<string> => {
  const numbered = Object.entries(constants.signals).find(([, number]) => String(number) === text)?.[0];
  const name = text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`;
  const found = numbered ?? NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  const { findNearest } = await import('../../config/index.ts');
  // Without what all of them begin with, which would make any two alike.
  const near = findNearest(
    name.slice('SIG'.length),
    NAMES.map((known) => known.slice('SIG'.length)),
  );
  const suggestion = near === null ? undefined : `SIG${near}`;
  throw new DroverError('DROVER_USAGE', { message: `There is no signal ${JSON.stringify(text)}.`, suggestion });
};

export const command = defineCommand<{ json?: boolean }>({
  args: [TARGET_ARGUMENT, { syntax: '<signal>', about: 'a name or number: `SIGUSR2`, `HUP`, `1`', offers: NAMES }],
  options: [JSON_OPTION],
  run: async (context, { args: [target = '', text = ''], options }) => {
    const signal = await parseSignal(text);
    const document = await (await context.ensure()).signal(target, signal);
    if (options.json) context.print(JSON.stringify(document));
    else if (document.workers.length === 0) context.print(`No worker ${target === 'all' ? '' : `of ${target} `}runs.`);
    else for (const { worker, pid } of document.workers) context.print(`${worker} (pid ${pid}) got ${signal}`);
    return 0;
  },
});
