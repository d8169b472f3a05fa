import { countDuring, events } from './audit.mjs';

const documents = new Map();

export async function editDocument(number) {
  const id = `doc${number % 25}`;
  const { first } = await countDuring(async () => {
    documents.set(id, { id, revision: number, text: `text ${number}` });
    await events.emit('saved', { id, revision: number });
    return documents.get(id);
  });
  return first;
}
