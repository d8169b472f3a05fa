import { createHmac, randomUUID } from 'node:crypto';
import pMemoize from 'p-memoize';

const sign = pMemoize(
  async ({ path, nonce }) => ({
    path,
    nonce,
    signature: createHmac('sha256', 'secret')
      .update(path + nonce)
      .digest('hex'),
  }),
  { cacheKey: JSON.stringify },
);

export async function signRequest(n) {
  const { signature } = await sign([{ path: `/v2/items/${n % 10}`, nonce: randomUUID() }][0]);
  return signature.slice(0, 8);
}
