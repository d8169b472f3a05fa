/** The apps and workers that a request names. */
import { findNameProblem } from '../config/index.ts';
import { DroverError } from '../protocol/index.ts';
import type { Target } from './service.ts';

/** `shop`, `shop/2` or `all`. What can be no app's name is an app that does not exist. */
export const parseTarget = (text: string): Target => {
  if (text === 'all') return { kind: 'all' };
  const [, app = text, slot] = /^(.*?)(?:\/(\d{1,5}))?$/s.exec(text) ?? [];
  if (findNameProblem(app) !== null) throw new DroverError('DROVER_APP_UNKNOWN', { app: text });
  return slot === undefined ? { kind: 'app', app } : { kind: 'worker', app, slot: Number(slot) };
};

export const parseApp = (text: string | undefined): string => {
  if (text === undefined || findNameProblem(text) !== null)
    throw new DroverError('DROVER_APP_UNKNOWN', { app: text ?? '' });
  return text;
};

export const optionalApp = (text: string | undefined): string | null => (text === undefined ? null : parseApp(text));
