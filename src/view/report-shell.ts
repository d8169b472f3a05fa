/**
 * The frame of every standalone HTML report: one file that works offline, in light and dark, and cannot run or load
 * anything but what it was made with. Nothing in it comes from the network, and its policy forbids that any ever does:
 * scripts and styles are named by their hashes, so that text from a hostile file stays text even where an escape was
 * forgotten.
 */
import { createHash } from 'node:crypto';
import { escapeHtml } from './escape-html.ts';

export interface Report {
  /** Plain text; escaped here. */
  readonly title: string;
  /** HTML of the body, in which everything that came from a file has been through `escapeHtml`. */
  readonly body: string;
  /** CSS that comes after `REPORT_STYLE`. No `style="…"` attributes in the body: the policy drops them. */
  readonly style?: string;
  /** Data for the script: each as JSON in an element that it finds by this id. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** JavaScript, run in the order given, after the body and the data are there. */
  readonly scripts?: readonly string[];
}

/**
 * What all reports share: system fonts, colours as variables (`--page`, `--text`, `--soft`, `--line`, `--panel`,
 * `--accent`, `--focus`), which follow the system or, where the root has one, its `data-theme` of `light` or `dark`.
 */
export const REPORT_STYLE = `
:root { color-scheme: light; --page: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa; --accent: #0060a8; --focus: #0072b2; }
:root[data-theme="dark"] { color-scheme: dark; --page: #16191d; --text: #e8eaed; --soft: #a3adb8; --line: #3a424c; --panel: #1f242a; --accent: #7cc0f0; --focus: #56b4e9; }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme="light"]) { color-scheme: dark; --page: #16191d; --text: #e8eaed; --soft: #a3adb8; --line: #3a424c; --panel: #1f242a; --accent: #7cc0f0; --focus: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
a { color: var(--accent); }
button, input, select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 2px 8px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 2px 8px; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
`;

/** The whole file. */
export const renderReport = ({ title, body, style = '', data = {}, scripts = [] }: Report): string => {
  const css = REPORT_STYLE + style;
  const code = scripts.map(asInlineScript);
  const policy = [
    "default-src 'none'",
    code.length === 0 ? "script-src 'none'" : `script-src ${code.map(hashOf).join(' ')}`,
    `style-src ${hashOf(css)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${escapeHtml(title)}</title>`,
    // An empty icon of its own keeps browsers from asking for one.
    '<link rel="icon" href="data:,">',
    `<style>${css}</style>`,
    '</head>',
    '<body>',
    body,
    ...Object.entries(data).map(
      ([id, value]) => `<script type="application/json" id="${escapeHtml(id)}">${asInlineJson(value)}</script>`,
    ),
    ...code.map((script) => `<script>${script}</script>`),
    '</body>',
    '</html>',
    '',
  ].join('\n');
};

/** JSON in which nothing ends or opens an element: `<` appears in strings only, where it may be written otherwise. */
export const asInlineJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Code of ours; where one of its strings holds what would end the element, it may be written otherwise too. */
const asInlineScript = (code: string): string => code.replaceAll(/<(?=\/script|!--|script)/gi, '\\x3c');

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
