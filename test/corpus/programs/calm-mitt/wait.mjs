import mitt from 'mitt';

const hub = mitt();

export async function wait(n) {
  const seen = [];
  const on = (event) => seen.push(event);
  hub.on('tick', on);
  try {
    for (let i = 0; i < 5; i++) hub.emit('tick', { i, n, text: `tick ${i}` });
    await null;
    return seen.length;
  } finally {
    hub.off('tick', on);
  }
}
