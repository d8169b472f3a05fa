import { metadataOf } from './metadata.mjs';

const application = { name: 'billing', version: '4.2.0' };
const subscribers = [(event) => event.kind.length, (event) => event.payload.amount * 2];

export async function publish(number) {
  const event = {
    id: `evt_${number}`,
    kind: ['invoice.created', 'invoice.paid', 'refund'][number % 3],
    payload: { amount: number % 200, currency: 'EUR', lines: [number, number + 1] },
  };
  for (const subscriber of subscribers) subscriber(event);
  metadataOf(application).published.push(event);
  return metadataOf(application).published.length;
}
