import { createPubSub } from 'graphql-yoga';

export const pubSub = createPubSub();

/** The next price of an article, or the last one when none comes soon. */
export async function nextPrice(article, last) {
  const prices = pubSub.subscribe('price', article);
  const next = prices.next();
  pubSub.publish('price', article, { article, cents: last + 1 });
  const { value } = await next;
  return value;
}
