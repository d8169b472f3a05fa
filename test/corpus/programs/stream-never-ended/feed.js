const { PassThrough } = require('node:stream');

const feed = new PassThrough({ highWaterMark: 1024 });
feed.setMaxListeners(0);
feed.resume();

const viewersNow = { count: 0 };

function openView(viewer) {
  const view = new PassThrough({ highWaterMark: 4096 });
  view.viewer = viewer;
  view.on('data', (chunk) => {
    viewer.bytes += chunk.length;
  });
  feed.pipe(view);
  viewersNow.count += 1;
  return view;
}

exports.watch = async (number) => {
  const viewer = {
    name: `viewer-${number}`,
    bytes: 0,
    quality: ['480p', '720p'][number % 2],
    history: Array(30).fill(number),
  };
  const view = openView(viewer);
  feed.write(`frame ${number}`);
  await new Promise((resolve) => setImmediate(resolve));
  // The viewer closes the page.
  view.removeAllListeners('data');
  viewersNow.count -= 1;
  return viewer.bytes;
};
