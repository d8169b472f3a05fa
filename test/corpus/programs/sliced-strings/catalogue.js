const titles = new Set();

function downloadCatalogue(supplier) {
  const lines = [`title of the catalogue of supplier ${supplier} for the season`];
  for (let row = 0; row < 300; row++) lines.push(`${supplier};article ${row};${row * 2}.90`);
  // What comes over the wire is one flat string.
  return Buffer.from(lines.join('\n')).toString('latin1');
}

function parse(text) {
  const end = text.indexOf('\n');
  const title = text.slice(0, end);
  let rows = 0;
  for (let at = end; at !== -1; at = text.indexOf('\n', at + 1)) rows += 1;
  return { title, rows };
}

exports.readCatalogue = async (number) => {
  const { title, rows } = parse(downloadCatalogue(number));
  titles.add(title);
  return { rows, known: titles.size };
};
