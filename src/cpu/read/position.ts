/** A line, a column or a count, whatever the file has there; 0 for what is none. */
export const toPosition = (value: number | bigint): number => {
  const position = Number(value);
  return position > 0 && position <= 0x7fff_ffff ? Math.floor(position) : 0;
};
