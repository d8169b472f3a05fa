/** What is compared: ways to run one script in several processes on one port. */
import { request } from 'node:http';
import { eventually } from '../../test/support/eventually.ts';

export interface StartRequest {
  readonly script: string;
  readonly workers: number;
  /** Where the app will listen, given to it as `APP_PORT`. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** An app that runs; disposing of it stops everything that was started for it. */
export interface RunningApp extends AsyncDisposable {
  /** From the command to the first answer. */
  readonly firstAnswerMs: number;
  readonly listWorkers: () => Promise<readonly number[]>;
  /** The processes that manage the workers: their cost counts too. */
  readonly listManagers: () => Promise<readonly number[]>;
}

export interface Contender {
  readonly name: string;
  readonly start: (wish: StartRequest) => Promise<RunningApp>;
}

/** Resolves when the app answers on its port. */
export async function untilAnswers(port: number): Promise<void> {
  await eventually(`port ${port} answers`, async () => (await getStatus(port)) === 200, {
    withinMs: 60_000,
    everyMs: 2,
  });
}

async function getStatus(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', reject);
    asked.end();
  });
}
