import { setTimeout as delay } from 'node:timers/promises';
import { AsyncQueue } from './async-queue.mjs';

const notifications = new AsyncQueue();

async function nextNotification(viewer) {
  const { value } = await notifications.next();
  return { viewer, value, seenBy: [viewer.id, ...viewer.follows] };
}

export async function poll(number) {
  const viewer = {
    id: `viewer-${number}`,
    follows: Array.from({ length: 12 }, (_, index) => `topic-${number}-${index}`),
  };
  if (number % 25 === 0) notifications.push({ text: `notification ${number}` });
  const answer = await Promise.race([nextNotification(viewer), delay(1, null)]);
  return answer ?? { viewer, value: null };
}
