import { defineCommand } from '../command.ts';
import { showLive } from '../live.ts';
import { type OrderKey, ORDERS, renderTop } from '../render/top.ts';

const isOrder = (key: string): key is OrderKey => Object.hasOwn(ORDERS, key);

export const command = defineCommand<{ json?: boolean; once?: boolean }>({
  args: [],
  options: [
    { flags: '--json', about: 'one JSON document a second, a line each' },
    { flags: '--once', about: 'print the figures once and end' },
  ],
  details:
    'Keys: n, c, m, r and l choose the order (name, cpu, memory, requests, latency), arrows and page up and down scroll, q and Ctrl-C end it. Without a terminal the figures are printed once.',
  run: async (context, { options: { json, once = false } }) => {
    const client = await context.connect();
    let order: OrderKey = 'n';
    const view = {
      read: async () => {
        const [{ apps }, health] = await Promise.all([client.list(), client.health(undefined)]);
        return { apps, health };
      },
      render: (found: Pick<Parameters<typeof renderTop>[0], 'apps' | 'health'>) =>
        renderTop({ ...found, order, atMs: context.nowMs() }, context).join('\n'),
      onKey: (key: string) => {
        if (isOrder(key)) order = key;
      },
    };
    return showLive(context, view, { json, watch: !once });
  },
});
