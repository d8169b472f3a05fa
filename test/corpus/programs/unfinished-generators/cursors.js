const openCursors = [];

function* pages(report) {
  const rows = Array.from({ length: 80 }, (_, index) => ({ index, label: `${report} row ${index}` }));
  for (let start = 0; start < rows.length; start += 20) {
    yield rows.slice(start, start + 20);
  }
}

function openCursor(report) {
  const cursor = pages(report);
  openCursors.push(cursor);
  return { number: openCursors.length - 1, page: cursor.next().value };
}

function nextPage(number) {
  const { value, done } = openCursors[number].next();
  if (done) openCursors[number] = null;
  return value ?? [];
}

exports.firstPage = async (number) => {
  const { number: cursor, page } = openCursor(`report-${number}`);
  if (number % 8 !== 0) return page.length;
  return page.length + nextPage(cursor).length;
};
