const { PassThrough } = require('node:stream');

const ticker = new PassThrough();
ticker.setMaxListeners(0);
ticker.resume();

let number = 0;
exports.tick = (price) => ticker.write(`${(number += 1)};${price}\n`);

/** A stream of prices for one client. */
exports.follow = () => ticker.pipe(new PassThrough({ highWaterMark: 1 << 20 }));
