/**
 * The end of an operation in which Drover itself goes wrong: an exception where none may be. It ends as failed, with that
 * for its reason, as far as it can still be written, and an event tells of the defect. No step here relies on one before.
 */
import { messageOf, type OperationKind, type ReceiptDocument } from '../protocol/index.ts';
import type { OperationHost } from './operation-host.ts';
import { ReceiptBook } from './receipt.ts';

export interface Failing {
  readonly id: string;
  readonly kind: OperationKind;
  readonly host: OperationHost;
  /** Where it was. */
  readonly phase: string;
  /** Those that it was about. */
  readonly slots: () => readonly number[];
  readonly book: ReceiptBook;
  readonly receiptOf: (reason: string, book: ReceiptBook) => ReceiptDocument;
}

/** Returns the receipt with which it has ended. */
export const endByDefect = (failing: Failing, error: unknown): ReceiptDocument => {
  const { id, kind, host, phase, book, receiptOf } = failing;
  const { records } = host.edges;
  tellDefect(failing, error);
  const reason = `a defect of Drover: ${messageOf(error)}`;
  let receipt = receiptOf(reason, new ReceiptBook());
  attempt(() => {
    receipt = receiptOf(reason, book);
  });
  // Who boots and was to take over has no traffic, and from now on nobody who would give it any.
  attempt(() => {
    for (const slot of failing.slots()) attempt(() => host.slots.discard(slot));
  });
  const end = (): void => records.operations.end(id, phase, receipt);
  const hasConcluded = attempt(() =>
    records.keepTogether(() => {
      // A deletion that failed has deleted nothing: it can be asked for again.
      if (kind !== 'delete') host.conclude(kind, 'failed');
      end();
    }),
  );
  if (!hasConcluded) attempt(end);
  attempt(() => {
    const data = { operation: id, kind, outcome: 'failed' };
    const text = `${kind} failed: ${reason} (operation ${id})`;
    records.events.append({ app: host.app, type: 'operation-ended', reason: text, data });
  });
  return receipt;
};

/** `stack` says where in the program it was. */
export const tellDefect = ({ id, kind, host }: Failing, error: unknown): void => {
  const stack = error instanceof Error ? error.stack : undefined;
  attempt(() => {
    const reason = `${kind} failed of an exception: ${messageOf(error)} (operation ${id})`;
    const data = { operation: id, kind, ...(stack === undefined ? {} : { stack }) };
    host.edges.records.events.append({ app: host.app, type: 'defect', reason, data });
  });
};

/** Whether it came to its end. What it failed of is no news: the defect is told, and this is what follows from it. */
const attempt = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};
