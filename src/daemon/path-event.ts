/** What is put on record where the path of an app's Unix socket leads somewhere else, or back. */
import type { DataPathEvent } from '../net/index.ts';
import type { EventInput } from '../protocol/index.ts';

type PathEvent = Extract<DataPathEvent, { readonly path: string }>;

export const toPathEvent = ({ type, app, path, owner }: PathEvent): EventInput => {
  if (type === 'path-back') return { app, type: 'port-opened', reason: `${path} leads to ${app} again` };
  if (type === 'path-lost') {
    return {
      app,
      type: 'port-vanished',
      reason: `${path} was removed and cannot be put back; the next worker that listens there makes it anew`,
    };
  }
  const who = owner === null ? 'something else' : `a socket of process ${owner.pid} (${owner.command})`;
  return {
    app,
    type: 'port-taken',
    reason: `${path} was removed, and ${who} is there now: it is left alone, and clients do not reach ${app} until it is gone`,
  };
};
