import { setImmediate as nextTurn } from 'node:timers/promises';
import { stopped } from './shutdown.mjs';

const statistics = { processed: 0, words: 0 };

async function translate(message) {
  await nextTurn();
  return { id: message.id, words: message.text.split(' '), upper: message.text.toUpperCase() };
}

export async function processMessage(number) {
  const message = { id: number, text: `message number ${number} about `.repeat(8) };
  const outcome = await Promise.race([translate(message), stopped]);
  if (outcome.stopped) return null;
  statistics.processed += 1;
  statistics.words += outcome.words.length;
  return outcome.id;
}
