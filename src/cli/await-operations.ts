/**
 * Waits for operations to end, shows where they are, and turns their outcomes into an exit code. Ctrl-C asks the daemon
 * to abort them and waits for what comes of it; a second one stops waiting.
 */
import type { DroverClient } from '../client/index.ts';
import { DroverError, type OperationDocument, type ReceiptOutcome } from '../protocol/index.ts';
import type { ExitCode } from './command.ts';
import type { CliContext } from './context.ts';
import { isOneApp } from './target.ts';

export interface ChangeOptions {
  readonly json?: boolean;
  /** Commander's form of `--no-wait`. */
  readonly wait?: boolean;
}

const EXITS: Readonly<Record<ReceiptOutcome, ExitCode>> = { completed: 0, 'rolled-back': 7, aborted: 1, failed: 1 };

/**
 * Waits (unless told not to) and prints what came of it. With `--json`: the receipt where the caller named one app,
 * else `{ receipts }`; without waiting `{ operations }`.
 */
export const finishChange = async (
  client: DroverClient,
  started: readonly OperationDocument[],
  options: ChangeOptions,
  context: CliContext,
  isOne: boolean,
): Promise<ExitCode> => {
  if (options.wait === false) {
    if (options.json) context.print(JSON.stringify({ operations: started }));
    else for (const { id } of started) context.print(id);
    return 0;
  }
  const ended = await awaitOperations(client, started, context);
  const receipts = ended.map(({ receipt }) => receipt).filter((receipt) => receipt !== null);
  if (options.json) {
    const [only] = receipts;
    context.print(JSON.stringify(isOne && receipts.length === 1 ? only : { receipts }));
  } else {
    const { renderReceipt } = await import('./render/receipt.ts');
    for (const { kind, receipt } of ended) if (receipt !== null) context.print(renderReceipt(kind, receipt, context));
  }
  return tellOutcomes(ended, options, context);
};

/** The same of a command on a target; `all` of no apps is told, or it would look as if it had been done. */
export const finishOnTarget = async (
  client: DroverClient,
  target: string,
  started: readonly OperationDocument[],
  options: ChangeOptions,
  context: CliContext,
): Promise<ExitCode> => {
  if (started.length === 0 && !isOneApp(target)) {
    // Without waiting stdout is for ids, with `--json` for the document.
    const tell = options.json || options.wait === false ? context.note : context.print;
    tell(NO_APPS);
  }
  return finishChange(client, started, options, context, isOneApp(target));
};

export const NO_APPS = 'There are no apps.';

/** The exit code of what happened, with advice on stderr where it was not what was asked for. */
const tellOutcomes = (ended: readonly OperationDocument[], options: ChangeOptions, context: CliContext): ExitCode => {
  const bad = ended.filter(({ receipt }) => receipt !== null && receipt.outcome !== 'completed');
  for (const { app, kind, receipt } of bad) {
    const code = receipt?.outcome === 'rolled-back' ? 'DROVER_PUT_BACK' : 'DROVER_OPERATION_FAILED';
    const { hint } = new DroverError(code, { app, kind, reason: receipt?.reason ?? '' });
    if (!options.json && receipt?.outcome !== 'aborted' && hint !== null) context.note(hint);
  }
  const codes = bad.map(({ receipt }) => (receipt === null ? 0 : EXITS[receipt.outcome]));
  return codes.includes(1) ? 1 : (codes[0] ?? 0);
};

/** Each operation in its final state. */
export const awaitOperations = async (
  client: DroverClient,
  started: readonly OperationDocument[],
  context: CliContext,
): Promise<OperationDocument[]> => {
  const progress = openProgress(context);
  const interrupted = context.interrupted();
  const abort = (): void => {
    progress.clear();
    context.note('Aborting; Ctrl-C again to leave it to the daemon.');
    for (const { id } of started) void client.abortOperation(id).catch(ignoreEnded);
  };
  interrupted.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.all(
      started.map(async (operation) => {
        let latest = operation;
        if (latest.status === 'done') return latest;
        for await (const state of client.watchOperation(operation.id)) {
          latest = state;
          progress.show(latest);
        }
        progress.remove(latest);
        return latest;
      }),
    );
  } finally {
    interrupted.removeEventListener('abort', abort);
    progress.clear();
  }
};

/** It may have ended by itself in the same moment; its outcome comes from the watch in any case. */
const ignoreEnded = (): void => {};

interface Progress {
  show(operation: OperationDocument): void;
  remove(operation: OperationDocument): void;
  clear(): void;
}

/** One line on stderr that is drawn over; nothing at all where stderr is no terminal. */
const openProgress = ({ isInteractive, columns, draw }: CliContext): Progress => {
  const current = new Map<string, OperationDocument>();
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) draw('\r\u001B[K');
    isDrawn = false;
  };
  const redraw = (): void => {
    if (!isInteractive) return;
    clear();
    const text = [...current.values()].map(({ kind, app, phase }) => `${kind} ${app}: ${phase}`).join('  ');
    if (text === '') return;
    draw(`\r${text.slice(0, columns - 1)}`);
    isDrawn = true;
  };
  return {
    show: (operation) => {
      current.set(operation.id, operation);
      redraw();
    },
    remove: (operation) => {
      current.delete(operation.id);
      redraw();
    },
    clear,
  };
};
