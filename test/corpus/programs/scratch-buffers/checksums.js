const { createHash } = require('node:crypto');
const { withScratch } = require('./scratch.js');

const checksum = (number) =>
  withScratch(async (bytes) => {
    bytes.fill(number % 256);
    await new Promise((resolve) => setImmediate(resolve));
    return createHash('sha1').update(bytes).digest('hex');
  });

exports.checkAll = async (number) => {
  const parts = Array.from({ length: 4 + (number % 29) }, (_, part) => checksum(number + part));
  return new Set(await Promise.all(parts)).size;
};
