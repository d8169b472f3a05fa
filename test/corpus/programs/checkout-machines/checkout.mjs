import { assign, createActor, setup } from 'xstate';

const checkout = setup({
  actions: { put: assign({ lines: ({ context, event }) => [...context.lines, event.article] }) },
}).createMachine({
  initial: 'basket',
  context: { lines: [] },
  states: {
    basket: {
      after: { 1_800_000: 'abandoned' },
      on: { PUT: { actions: 'put' }, PAY: 'paid' },
    },
    paid: { type: 'final' },
    abandoned: { type: 'final' },
  },
});

const open = new Map();

/** Baskets are paid in the end or given up for the thirtieth that comes after them. */
export async function shop(number) {
  const basket = createActor(checkout);
  open.set(number, basket);
  basket.start();
  for (let article = 0; article < 3; article++) basket.send({ type: 'PUT', article: `article ${number + article}` });
  const old = open.get(number - 30);
  if (number % 3 === 0) old?.send({ type: 'PAY' });
  old?.stop();
  open.delete(number - 30);
  return open.size;
}
