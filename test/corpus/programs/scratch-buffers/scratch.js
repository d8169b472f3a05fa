const free = [];
let made = 0;

/** Buffers that are used again; as many as were ever needed at once. */
exports.withScratch = async function withScratch(work) {
  const scratch = free.pop() ?? { number: (made += 1), bytes: Buffer.allocUnsafeSlow(8192), uses: 0 };
  scratch.uses += 1;
  try {
    return await work(scratch.bytes);
  } finally {
    free.push(scratch);
  }
};
