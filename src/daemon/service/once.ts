/**
 * A request with a key is carried out once, however often its client sends it: because the connection was cut, or
 * because the daemon died before it could answer. Each operation is on record together with the key of the request that
 * began it (`store/operations.ts`), so that the next daemon knows what is still to be begun.
 */
import type { CallContext } from '../../api/index.ts';
import { DroverError, type OperationDocument, type RequestKey } from '../../protocol/index.ts';
import type { ServiceParts } from './parts.ts';

/** A request, and what it has begun before it was sent again. */
export interface Asked {
  /** Goes with each operation that is begun for it. */
  readonly request: RequestKey | null;
  /** Its operation for this app is there: nothing is to be begun for it. */
  hasBegun(app: string): boolean;
  /** Resolves when the operation that it has begun for this app has ended; null where there is none. */
  endOf(app: string): Promise<unknown> | null;
}

/** `begin` returns what it has begun, which goes on after what had been begun before. */
export type Once = (
  context: CallContext,
  begin: (asked: Asked) => Promise<readonly OperationDocument[]>,
) => Promise<readonly OperationDocument[]>;

interface Outstanding {
  readonly digest: string;
  readonly answer: Promise<readonly OperationDocument[]>;
}

const ASKED_ONCE: Asked = { request: null, hasBegun: () => false, endOf: () => null };

/** Throws DROVER_KEY_REUSED where the key belongs to another request. */
export const openOnce = ({ store, operations }: Pick<ServiceParts, 'store' | 'operations'>): Once => {
  const outstanding = new Map<string, Outstanding>();

  const carryOut = async (
    request: RequestKey,
    begin: (asked: Asked) => Promise<readonly OperationDocument[]>,
  ): Promise<readonly OperationDocument[]> => {
    const begun = store.operations.listBegunBy(request.key);
    for (const { digest } of begun) refuseOther(request, digest);
    const before = begun.map(({ id }) => operations.get(id));
    if (begun.some(({ isWhole }) => isWhole)) return before;
    const idOf = new Map(begun.map(({ app, id }) => [app, id]));
    const fresh = await begin({
      request,
      hasBegun: (app) => idOf.has(app),
      endOf: (app) => (idOf.has(app) ? (operations.find(idOf.get(app) ?? '')?.ended ?? Promise.resolve()) : null),
    });
    if (before.length + fresh.length > 0) store.operations.noteWhole(request.key);
    return [...before, ...fresh];
  };

  return async ({ request }, begin) => {
    if (request === null) return begin(ASKED_ONCE);
    const { key, digest } = request;
    const same = outstanding.get(key);
    if (same !== undefined) {
      refuseOther(request, same.digest);
      return same.answer;
    }
    const answer = carryOut(request, begin);
    outstanding.set(key, { digest, answer });
    try {
      return await answer;
    } finally {
      outstanding.delete(key);
    }
  };
};

const refuseOther = ({ key, digest }: RequestKey, known: string): void => {
  if (digest !== known) throw new DroverError('DROVER_KEY_REUSED', { key });
};
