import Emittery from 'emittery';

export const events = new Emittery();

/** Counts what happens during one piece of work. */
export async function countDuring(work) {
  const seen = events.events(['saved', 'removed']);
  const result = await work();
  const { value } = await seen.next();
  return { result, first: value };
}
