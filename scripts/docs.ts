/** `npm run docs`: writes the generated pages of `docs/`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from './commands.ts';
import { renderDocs } from './render-docs.ts';

for (const [path, text] of await renderDocs()) {
  await mkdir(dirname(join(ROOT, path)), { recursive: true });
  await writeFile(join(ROOT, path), text);
  process.stdout.write(`wrote ${path}\n`);
}
