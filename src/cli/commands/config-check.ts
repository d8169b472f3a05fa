import { checkConfig, formatProblem, inspectConfig } from '../../config/index.ts';
import { getConfigFile } from '../app-source.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand<{ json?: boolean }>({
  args: [{ syntax: '[config]', about: 'configuration file (default: drover.config.* here)', offers: 'files' }],
  options: [JSON_OPTION],
  details:
    'Finds every problem of keys and values at once, and where there is none, every one between them (files that are not there, names twice, apps that nothing starts). Without the daemon; what only the machine that runs it knows (a Node by its number, a user) is found at `start`. Exit 2 when there is one.',
  run: async (context, { args: [entry], options }) => {
    const { file, value, problems: notPlain } = await inspectConfig(getConfigFile(entry, context));
    const { apps, problems } =
      notPlain.length > 0 ? { apps: [], problems: notPlain } : checkConfig(value, file, context.env);
    const isValid = problems.length === 0;
    if (options.json) context.print(JSON.stringify({ valid: isValid, errors: problems }));
    else if (isValid) context.print(`${file} is valid: ${apps.map(({ name }) => name).join(', ') || 'no apps'}.`);
    else for (const problem of problems) context.print(formatProblem(problem));
    return isValid ? 0 : 2;
  },
});
