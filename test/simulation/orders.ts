/** Users' commands, as the daemon's service gives them to the supervisor. */
import { DaemonDied, type SimDaemon } from './daemon.ts';
import { newApp } from './apps.ts';
import type { CommandKind } from './history.ts';
import type { Wishes } from './wishes.ts';

export interface Order {
  readonly daemon: SimDaemon;
  /** What is accepted is a promise. */
  readonly wishes: Wishes;
  readonly kind: CommandKind;
  readonly name: string;
  readonly size: number;
  readonly note: (line: string) => void;
}

/** Throws where it is refused. */
export const giveOrder = ({ daemon, wishes, kind, name, size, note }: Order): void => {
  const { supervisor } = daemon;
  if (supervisor.find(name) === null && kind === 'start') daemon.addApp(newApp(name));
  const app = supervisor.find(name);
  if (app === null) return;
  const isBusy = app.operation !== null;
  note(`${kind} ${name} ${size}${isBusy ? ' (busy)' : ''}`);
  if (kind === 'abort') return app.operation?.abort('the user asked');
  if (kind === 'stop' || kind === 'delete') {
    const end = wishes.ask(name, daemon);
    const accepted = (): void => wishes.want(name, kind === 'stop' ? 'stopped' : 'gone');
    return void supervisor.stop(app, kind).then(() => end() && accepted(), refusedFor(end));
  }
  if (kind === 'stop-one') {
    const slot = size - 1;
    if (app.slots.find(slot) === null) return;
    const end = wishes.ask(name, daemon);
    const accepted = (): void => wishes.stopOne(name, app.state.wanted, slot);
    return void supervisor.stop(app, 'stop', { slots: [slot] }).then(() => end() && accepted(), refusedFor(end));
  }
  if (isBusy) return;
  wishes.startAll(name);
  if (kind === 'start') {
    const run = supervisor.start(app);
    wishes.want(name, 'up');
    return void run;
  }
  if (app.state.wanted !== 'up') return;
  if (kind === 'reload') return void supervisor.reload(app);
  if (kind === 'release') return void supervisor.reload(app, { release: app.state.release + 1 });
  if (kind === 'restart') return void supervisor.restart(app);
  wishes.resize(name, null);
  const run = supervisor.scale(app, size);
  void run.ended.then(({ receipt }) => {
    const isOnDisk = !daemon.isDead && daemon.store.condition.trouble === null;
    if (receipt?.outcome === 'completed' && isOnDisk) wishes.resize(name, size);
  });
};

const refusedFor =
  (end: () => boolean) =>
  (error: unknown): void => {
    end();
    ignoreRefusal(error);
  };

const REFUSALS: ReadonlySet<unknown> = new Set(['DROVER_BUSY', 'DROVER_APP_UNKNOWN', 'DROVER_STATE_UNWRITABLE']);

/** A stop of what is being deleted, or gone by then, is refused, and so is every change where the disk takes nothing. */
export const ignoreRefusal = (error: unknown): void => {
  if (error instanceof DaemonDied) return;
  if (!REFUSALS.has((error as { code?: string }).code)) throw error;
};
