import { assign, setup } from 'xstate';

const DAY_MS = 86_400_000;

export const orderMachine = setup({
  actions: {
    keepAmount: assign({ paid: ({ event }) => event.amount }),
    askForReview: assign({ asked: true }),
  },
}).createMachine({
  id: 'order',
  initial: 'open',
  context: ({ input }) => ({ id: input.id, lines: input.lines, paid: 0, asked: false }),
  states: {
    open: { on: { PAY: { target: 'paid', actions: 'keepAmount' } } },
    paid: { after: { [7 * DAY_MS]: { target: 'reviewed', actions: 'askForReview' } } },
    reviewed: { type: 'final' },
  },
});
