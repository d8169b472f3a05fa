/**
 * A report to read, in the shell of all reports: a bar with the title, sections that the keyboard reaches, tables that
 * scroll and sort, a list of keys, a footer, and a look on paper.
 */
import { DOCUMENT_SCRIPT } from './document-script.ts';
import { escapeHtml } from './escape-html.ts';
import { type Report, renderReport } from './report-shell.ts';

export interface DocumentPage extends Report {
  /** Keys that `scripts` listen to, for the list that `?` opens: `['/', 'search']`. */
  readonly keys?: readonly (readonly [key: string, about: string])[];
  /** Plain text at the end: what made it, from what. */
  readonly footer: string;
}

const OWN_KEYS: readonly (readonly [string, string])[] = [
  ['n / p', 'next and previous section'],
  ['t', 'light, dark, or as the system has it'],
  ['?', 'this list'],
];

const COLORS = {
  light: '--bad: #a83200; --good: #00664a; --warn: #7a5200; --bar: #56b4e9; --hover: #e8edf3;',
  dark: '--bad: #ff9466; --good: #4fd1a5; --warn: #f0c04a; --bar: #2f7fb0; --hover: #2a2f38;',
};

const STYLE = `
:root { ${COLORS.light} }
:root[data-theme="dark"] { ${COLORS.dark} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${COLORS.dark} } }
main, footer { max-width: 1200px; margin: 0 auto; padding: 0 20px 24px; outline: none; }
footer { padding-top: 12px; color: var(--soft); border-top: 1px solid var(--line); }
h1 { font-size: 17px; margin: 0; } h2 { font-size: 18px; margin: 28px 0 8px; } h3 { font-size: 15px; margin: 18px 0 6px; }
section { outline: none; }
code, h1, h2, h3 { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; overflow-x: auto; }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; background: var(--panel); }
button { cursor: pointer; } button:hover { background: var(--hover); }
.bar { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; padding: 10px 20px; border-bottom: 1px solid var(--line); }
.grow { flex: 1; } .soft { color: var(--soft); } .bad { color: var(--bad); } .good { color: var(--good); } .warn { color: var(--warn); }
.skip { position: absolute; left: -10000px; } .skip:focus { left: 10px; top: 10px; background: var(--page); padding: 6px; z-index: 9; }
.scroll { overflow: auto; max-height: 480px; border: 1px solid var(--line); border-radius: 6px; } .scroll table { width: 100%; }
.scroll th { background: var(--panel); white-space: nowrap; position: sticky; top: 0; } .scroll tr:last-child td { border-bottom: 0; }
tbody tr:hover { background: var(--hover); }
th button { border: 0; padding: 0; background: none; font-weight: inherit; }
dialog { background: var(--page); color: var(--text); border: 1px solid var(--line); border-radius: 8px; } dialog::backdrop { background: #0008; }
@media print { .scroll { max-height: none; } .bar button, .skip { display: none; } main, footer { max-width: none; } }
`;

/** The whole file. `body` is HTML; sections that `n` and `p` go to are `<section>` elements with a heading. */
export const renderDocument = ({
  keys = [],
  footer,
  body,
  style = '',
  scripts = [],
  ...rest
}: DocumentPage): string => {
  const rows = [...keys, ...OWN_KEYS].map(
    ([key, about]) => `<tr><td><kbd>${escapeHtml(key)}</kbd></td><td>${escapeHtml(about)}</td></tr>`,
  );
  return renderReport({
    ...rest,
    style: STYLE + style,
    scripts: [DOCUMENT_SCRIPT, ...scripts],
    body: `<a class="skip" href="#main">Skip to the report</a>
<header class="bar"><h1>${escapeHtml(rest.title)}</h1><span class="grow"></span><button type="button" id="theme" title="t">Theme: system</button> <button type="button" id="keys-button" title="?">Keys</button></header>
<dialog id="keys" aria-label="Keys"><table>${rows.join('')}</table><form method="dialog"><button>Close</button></form></dialog>
<main id="main" tabindex="-1">
${body}
</main>
<footer>${escapeHtml(footer)}</footer>`,
  });
};
