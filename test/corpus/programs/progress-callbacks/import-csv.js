const progressCallbacks = [];

function onProgress(callback) {
  progressCallbacks.push(callback);
}

function readFile(number) {
  return Array.from({ length: 60 }, (_, line) => `${number};${line};customer ${line % 9};${line * 3}`).join('\n');
}

async function importFile(number) {
  const text = readFile(number);
  const rows = text.split('\n').map((line) => line.split(';'));
  let imported = 0;

  const importAll = async () => {
    for (const row of rows) {
      if (row.length === 4) imported += 1;
      if (imported % 30 === 0) await Promise.resolve();
    }
  };

  onProgress(() => imported);
  await importAll();
  return progressCallbacks.at(-1)();
}

module.exports = { importFile };
