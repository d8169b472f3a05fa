import { DroverError } from '../../protocol/index.ts';
import { finishChange, type ChangeOptions } from '../await-operations.ts';
import { APP_ARGUMENT, defineCommand, JSON_OPTION, NO_WAIT_OPTION } from '../command.ts';

const parseAmount = (text: string): { to: number | 'max' } | { by: number } => {
  if (text === 'max') return { to: 'max' };
  const amount = Number(text);
  if (!/^[+-]?\d+$/.test(text) || (/^\d/.test(text) && (amount < 1 || amount > 256)) || Math.abs(amount) > 255)
    throw new DroverError('DROVER_USAGE', {
      message: `${JSON.stringify(text)} is not a number of workers: use 1 to 256, \`max\`, or a difference such as \`+2\` or \`-1\`.`,
    });
  return /^[+-]/.test(text) ? { by: amount } : { to: amount };
};

export const command = defineCommand<ChangeOptions>({
  args: [APP_ARGUMENT, { syntax: '<workers>', about: 'a number, `max`, or a difference: `+2`, `-1`' }],
  options: [NO_WAIT_OPTION, JSON_OPTION],
  run: async (context, { args: [app = '', workers = ''], options }) => {
    const amount = parseAmount(workers);
    const client = await context.ensure();
    return finishChange(client, await client.scale(app, amount), options, context, true);
  },
});
