import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';

const plugins = {
  upper: ({ text }) => text.toUpperCase(),
  count: ({ text }) => text.split(' ').length,
};

function servePlugin(port, name) {
  const context = { name, calls: 0, log: Array.from({ length: 20 }, (_, index) => `${name} boot step ${index}`) };
  port.on('message', (message) => {
    context.calls += 1;
    port.postMessage({ id: message.id, result: plugins[name](message), log: context.log.length });
  });
  port.unref();
}

export async function callPlugin(number) {
  const { port1, port2 } = new MessageChannel();
  servePlugin(port2, number % 2 === 0 ? 'upper' : 'count');
  port1.postMessage({ id: number, text: `task ${number} of the day` });
  const [answer] = await once(port1, 'message');
  port1.unref();
  return answer.result;
}
