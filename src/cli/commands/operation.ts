import { finishChange } from '../await-operations.ts';
import { defineCommand, JSON_OPTION, NO_WAIT_OPTION } from '../command.ts';
import { renderOperation, renderReceipt } from '../render/receipt.ts';
import { renderTable } from '../render/table.ts';

export const command = defineCommand<{ json?: boolean; wait?: boolean }>({
  args: [{ syntax: '[id]', about: 'follow this one to its end and print its receipt' }],
  options: [{ ...NO_WAIT_OPTION, about: 'show it as it is now' }, JSON_OPTION],
  details: 'Without an id: the latest operations. The exit code is that of the operation.',
  run: async (context, { args: [id], options }) => {
    const client = await context.connect();
    if (id === undefined) {
      const operations = await client.operations();
      if (options.json) context.print(JSON.stringify({ operations }));
      else
        context.print(
          renderTable(['id', 'kind', 'app', 'outcome', 'started', 'took'], operations.map(renderOperation)),
        );
      return 0;
    }
    const operation = await client.operation(id);
    if (options.wait !== false)
      return finishChange(client, [operation], { json: options.json ?? false }, context, true);
    if (options.json) context.print(JSON.stringify(operation));
    else if (operation.receipt !== null) context.print(renderReceipt(operation.kind, operation.receipt, context));
    else context.print(renderOperation(operation).join('  '));
    return 0;
  },
});
