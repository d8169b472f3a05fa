/** Runs `apps/socket-io/client.mjs` in a process of its own and follows its counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually.ts';

export interface SocketIoCounts {
  readonly acknowledged: number;
  /** Acknowledged with another message's number. */
  readonly wrong: number;
  readonly disconnects: number;
  readonly refused: number;
  /** Sent, not acknowledged. */
  readonly open: number;
  readonly ended: boolean;
}

export interface SocketIoLoad extends AsyncDisposable {
  readonly counts: SocketIoCounts;
  readonly untilAcknowledged: (more: number) => Promise<void>;
  /** Lets what is open be answered and returns the last counts. */
  readonly stop: () => Promise<SocketIoCounts>;
}

export async function startSocketIoLoad(port: number): Promise<SocketIoLoad> {
  const client = join(import.meta.dirname, 'apps', 'socket-io', 'client.mjs');
  const child = spawn(process.execPath, [client, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let counts: SocketIoCounts = { acknowledged: 0, wrong: 0, disconnects: 0, refused: 0, open: 0, ended: false };
  createInterface({ input: child.stdout }).on('line', (line) => {
    counts = JSON.parse(line) as SocketIoCounts;
  });
  return {
    get counts() {
      return counts;
    },
    untilAcknowledged: async (more) => {
      const goal = counts.acknowledged + more;
      await eventually(`${goal} messages are acknowledged`, () => counts.acknowledged >= goal, { withinMs: 30_000 });
    },
    stop: async () => {
      child.stdin.write('stop\n');
      await eventually('the last messages are acknowledged', () => counts.ended, { withinMs: 30_000 });
      return counts;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
