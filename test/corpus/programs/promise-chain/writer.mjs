let tail = Promise.resolve({ version: 0, previous: null, text: '' });

export async function save(n) {
  const text = `document text at step ${n} `.repeat(4);
  tail = tail.then(async (previous) => {
    const version = { version: previous.version + 1, previous, text, length: text.length };
    return version;
  });
  const { version } = await tail;
  return version;
}
