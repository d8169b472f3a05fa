import { DroverError } from '../../protocol/index.ts';
import { readConfigFile } from '../app-source.ts';
import { finishChange, type ChangeOptions } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION } from '../command.ts';
import { renderPlan } from '../render/receipt.ts';

export const command = defineCommand<ChangeOptions & { dryRun?: boolean; prune?: boolean }>({
  args: [{ syntax: '[config]', about: 'configuration file (default: drover.config.* here)', offers: 'files' }],
  options: [
    { flags: '--dry-run', about: 'print the plan and change nothing' },
    { flags: '--prune', about: 'allow an empty list of apps, which removes all apps of the file' },
    NO_WAIT_OPTION,
    JSON_OPTION,
  ],
  details:
    'Prints the plan first. Only apps that came from the same file are removed; a name that another file owns is refused. The plan lists apps; settings under `daemon` hold once the change was accepted.',
  run: async (context, { args: [entry], options }) => {
    const { file, apps, daemon } = await readConfigFile(entry, context);
    const client = options.dryRun ? await context.connect() : await context.ensure();
    const prune = options.prune ?? false;
    const { changes } = await client.plan(file, apps, prune);
    if (options.dryRun && options.json) {
      context.print(JSON.stringify({ changes }));
      return 0;
    }
    // Without an app that came from the file there is nothing that it could remove.
    if (apps.length === 0 && changes.length > 0 && !prune) throw new DroverError('DROVER_PRUNE_REFUSED');
    const isIdle = changes.every(({ action }) => action === 'none');
    // With `--json` stdout is for the one document; the plan is still worth seeing.
    const tell = options.json ? context.note : context.print;
    if (apps.length === 0 && changes.length === 0) tell(`${file} lists no apps.`);
    else tell(isIdle ? 'Nothing to change.' : renderPlan(changes, context));
    if (options.dryRun) return 0;
    const started = isIdle ? [] : await client.apply(file, apps, prune);
    // What is refused changes nothing, and a smaller quota removes logs.
    if (daemon !== null) await client.configureDaemon(daemon);
    return finishChange(client, started, options, context, false);
  },
});
