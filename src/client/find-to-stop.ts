/** The daemon that a stop is about. What deals with one that is only coming back is loaded where nobody answers. */
import type { DroverClient } from './client.ts';
import type { ComingEnd } from './end-coming.ts';
import { isAnswering } from './is-answering.ts';

/** Throws as {@link isAnswering} does, and DROVER_TIMEOUT where it neither comes nor goes. */
export const findToStop = async (client: DroverClient, home: string, keepsWorkers: boolean): Promise<ComingEnd> => {
  if (await isAnswering(client)) return 'answers';
  const { endComing } = await import('./end-coming.ts');
  return endComing(client, home, keepsWorkers);
};
