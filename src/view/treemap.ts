/**
 * A treemap for reports: what is in what, by size. Two levels are shown at a time; whoever wants more goes into a box, with
 * the mouse or the keyboard. The page draws it from the data (`treemap-script.ts`); without scripts there is nothing to see,
 * so a report must say the same in a table as well.
 */
import { escapeHtml } from './escape-html.ts';
import { TREEMAP_SCRIPT } from './treemap-script.ts';

export interface TreemapModel {
  /** Read aloud as the name of the map. */
  readonly title: string;
  /** Per box: the box that it is in, which stands before it; −1 for the outermost, box 0. */
  readonly parent: readonly number[];
  /** Per box: index into `names`. */
  readonly name: readonly number[];
  readonly names: readonly string[];
  /** Per box, bytes, with everything that is in it. */
  readonly bytes: readonly number[];
  /** Per box: one more line of what is known about it. */
  readonly notes: readonly string[];
  /** Per box: index into `kinds`. */
  readonly kind: readonly number[];
  /** At most eight, which are told apart by colour. */
  readonly kinds: readonly string[];
}

export interface TreemapParts {
  readonly body: string;
  readonly style: string;
  readonly scripts: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly keys: readonly (readonly [key: string, about: string])[];
}

/** Okabe and Ito's eight colours (2008), lightened for text on them, and darkened for the dark theme. */
const COLORS: readonly (readonly [light: string, dark: string])[] = [
  ['#bfe0f5', '#1d4f70'],
  ['#fbe0b3', '#6b4a0c'],
  ['#b8e6d6', '#0f5542'],
  ['#f7d5c0', '#743a12'],
  ['#e9d0e0', '#5e3350'],
  ['#f8f3b8', '#5c5710'],
  ['#c3d3ea', '#243f6b'],
  ['#dddddd', '#454545'],
];

const colorRules = (at: 0 | 1): string => COLORS.map((pair, kind) => `--kind-${kind}: ${pair[at]};`).join(' ');

const STYLE = `
:root { ${colorRules(0)} }
:root[data-theme="dark"] { ${colorRules(1)} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${colorRules(1)} } }
.treemap { position: relative; height: 460px; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; background: var(--panel); }
.treemap .box { position: absolute; overflow: hidden; border: 1px solid var(--page); padding: 1px 4px; font-size: 12px; line-height: 16px; white-space: nowrap; cursor: pointer; border-radius: 0; display: flex; align-items: flex-start; color: var(--text); outline-offset: -2px; }
.treemap .box.found { outline: 2px solid var(--bad); }
.treemap-bar { display: flex; gap: 8px; flex-wrap: wrap; align-items: center; margin: 6px 0; }
.treemap-path button { border: 0; background: none; padding: 0 2px; color: var(--accent); }
.treemap-status { min-height: 44px; margin: 6px 0; }
.treemap-legend span { display: inline-block; margin-right: 12px; } .treemap-legend i { display: inline-block; width: 12px; height: 12px; border: 1px solid var(--line); margin-right: 4px; vertical-align: -2px; }
${COLORS.map((_, kind) => `.kind-${kind} { background: var(--kind-${kind}); }`).join('\n')}
`;

/** `id` is the map's own in the page: a word. */
export const renderTreemap = (model: TreemapModel, id: string): TreemapParts => ({
  body: `<div class="treemap-bar"><nav class="treemap-path" aria-label="Where the map is" id="${id}-path"></nav><span class="grow"></span><label>Search <input type="search" id="${id}-search" title="/"></label></div>
<div class="treemap" id="${id}" role="group" aria-label="${escapeHtml(model.title)}" data-treemap></div>
<p class="treemap-status" id="${id}-status" role="status"></p>
<p class="treemap-legend soft">${model.kinds.map((kind, at) => `<span><i class="kind-${at}"></i>${escapeHtml(kind)}</span>`).join('')}</p>`,
  style: STYLE,
  scripts: [TREEMAP_SCRIPT],
  data: { [`${id}-data`]: model },
  keys: [
    ['arrows', 'in the map: next, previous, into, out of a box'],
    ['Enter', 'in the map: go into the box'],
    ['Esc', 'in the map: go out again'],
    ['/', 'search in the map'],
  ],
});
