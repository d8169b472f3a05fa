/** Tables of plain text: columns padded to their widest cell, two spaces between them, numbers to the right. */

export interface Column {
  readonly head: string;
  readonly isNumber?: boolean;
}

/** One line a row, the head first. Cells must be printable and on one line. */
export const renderColumns = (columns: readonly Column[], rows: readonly (readonly string[])[]): string[] => {
  const all = [columns.map(({ head }) => head), ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => lengthOf(row[at] ?? ''))));
  return all.map((row) =>
    columns
      .map(({ isNumber }, at) => {
        const cell = row[at] ?? '';
        const space = ' '.repeat((widths[at] ?? 0) - lengthOf(cell));
        return isNumber ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
};

/** In characters, each of which is a cell of a terminal but for those that are two wide. */
const lengthOf = (text: string): number => text.replaceAll(/[\uDC00-\uDFFF]/g, '').length;
