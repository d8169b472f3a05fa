/**
 * What this worker accepted (`+id`) and finished (`-id`), in a file of its own under `JOURNAL`, written synchronously so
 * that it is true at the moment of a SIGKILL. Without `JOURNAL`, or an id on the request, nothing is noted.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const file = process.env.JOURNAL ? openSync(join(process.env.JOURNAL, `${process.pid}.journal`), 'a') : null;

export function note(request, response) {
  const id = request.headers['x-request-id'];
  if (file === null || id === undefined) return;
  writeSync(file, `+${id}\n`);
  response.on('finish', () => writeSync(file, `-${id}\n`));
}
