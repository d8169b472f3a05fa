// Preloaded: an agent's side of the meeting, which the test speaks to over Node's own channel.
const sides = new Set();
let level = 'normal';
let current = null;
const tell = (word, value = null) => process.send({ word, value });
globalThis[Symbol.for('drover.meeting.1')] = {
  agent: {
    app: 'shop',
    worker: 'shop/2',
    ready: () => tell('ready'),
    expectReady: () => tell('expectReady'),
    degradeLevel: () => level,
    trace: () => current,
  },
  join: (side) => {
    sides.add(side);
    tell('joined');
    return () => sides.delete(side);
  },
};
process.on('message', async ({ ask, argument }) => {
  const [side] = sides;
  try {
    if (ask === 'trace') current = argument;
    else if (ask === 'onDegrade') {
      level = argument;
      side.onDegrade(argument, 'told');
    }
    const value = ask === 'trace' || ask === 'onDegrade' ? null : await side[ask](argument);
    tell(ask, value ?? null);
  } catch (error) {
    tell(ask, { error: error.message });
  }
});
