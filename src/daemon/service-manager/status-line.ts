/** What `systemctl status` shows of Drover, in one line. */
import type { AppDocument } from '../../protocol/index.ts';

type AppView = Pick<AppDocument, 'name' | 'status' | 'instances'> & {
  readonly workers: readonly Pick<AppDocument['workers'][number], 'ready'>[];
};

/** More names than these make the line longer than a terminal. */
const NAMED = 3;

export const statusLine = (apps: readonly AppView[]): string => {
  const wanted = apps.filter(({ status }) => status !== 'stopped');
  const stopped = apps.length - wanted.length;
  const ready = wanted.reduce((sum, app) => sum + app.workers.filter((worker) => worker.ready).length, 0);
  const all = wanted.reduce((sum, app) => sum + app.instances, 0);
  const troubled = wanted.filter(({ status }) => status !== 'online').map(({ name, status }) => `${name}: ${status}`);
  const workers = ready === all ? count(all, 'worker') : `${ready} of ${count(all, 'worker')}`;
  return [
    ...(wanted.length > 0 ? [`${workers} of ${count(wanted.length, 'app')}`] : []),
    ...(stopped > 0 ? [`${count(stopped, 'app')} stopped`] : []),
    ...(apps.length === 0 ? ['no apps'] : []),
    ...troubled.slice(0, NAMED),
    ...(troubled.length > NAMED ? [`and ${troubled.length - NAMED} more`] : []),
  ].join('; ');
};

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
