/**
 * A flame graph as one HTML file that works offline: the model as compact data, and the script that shows it. Takes any
 * tree of weights: calls of a CPU profile, objects by what holds them, files by size.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { escapeHtml } from './escape-html.ts';
import type { FlameModel } from './flame/model.ts';
import { packFlame } from './flame/pack.ts';
import { FLAME_STYLE } from './flame-style.ts';
import { renderReport } from './report-shell.ts';

/** Bundled by `scripts/bundle-view.ts`; in the same place seen from the sources, from `dist/view/` and from the bundled command line. */
const FLAME_SCRIPT_FILE = fileURLToPath(new URL('../../dist/view-page/flame.js', import.meta.url));

/** The whole file, as text. Throws ENOENT where the sources run and nothing was built yet (`npm run build`). */
export function renderFlamePage(model: FlameModel): string {
  const subtitle = model.subtitle === '' ? '' : `<p>${escapeHtml(model.subtitle)}</p>`;
  return renderReport({
    title: model.title,
    style: FLAME_STYLE,
    body: [
      `<header><div><h1>${escapeHtml(model.title)}</h1>${subtitle}</div></header>`,
      '<main id="flame"></main>',
      '<noscript><p>A flame graph is drawn by a script; this browser runs none.</p></noscript>',
    ].join('\n'),
    data: { 'flame-data': packFlame(model) },
    scripts: [readFileSync(FLAME_SCRIPT_FILE, 'utf8')],
  });
}
