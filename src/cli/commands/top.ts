import { defineCommand } from '../command.ts';
import { type OrderKey, ORDERS, renderTop } from '../render/top.ts';
import { openScreen } from '../screen.ts';

const EVERY_MS = 1000;

const isOrder = (key: string): key is OrderKey => Object.hasOwn(ORDERS, key);

export const command = defineCommand<{ json?: boolean; once?: boolean }>({
  args: [],
  options: [
    { flags: '--json', about: 'one JSON document a second, a line each' },
    { flags: '--once', about: 'print the figures once and end' },
  ],
  details: 'Keys: n, c, m, r and l choose the order (name, cpu, memory, requests, latency), q ends it.',
  run: async (context, { options }) => {
    const client = await context.connect();
    const read = async () => {
      const [{ apps }, health] = await Promise.all([client.list(), client.health(undefined)]);
      return { apps, health };
    };
    const { stdin, stdout } = process;
    if (options.json || options.once || !stdin.isTTY || !stdout.isTTY) {
      const signal = context.interrupted();
      context.endWithReader();
      for (;;) {
        const view = await read();
        context.print(
          options.json
            ? JSON.stringify(view)
            : renderTop({ ...view, order: 'n', atMs: context.nowMs() }, context).join('\n'),
        );
        // Where nobody sits in front of it, once is what can be used; a stream of documents goes on.
        if (options.once || !options.json) return 0;
        await pause(EVERY_MS, signal);
        if (signal.aborted) return 0;
      }
    }
    const screen = openScreen(stdin, stdout);
    try {
      for (let order: OrderKey = 'n'; ;) {
        screen.draw(renderTop({ ...(await read()), order, atMs: context.nowMs() }, context));
        const key = await screen.nextKey(EVERY_MS);
        if (key === null || key === 'q') return 0;
        if (isOrder(key)) order = key;
      }
    } finally {
      screen.close();
    }
  },
});

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
