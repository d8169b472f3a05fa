/** Starts the standalone page: finds its data, shows it, and follows the theme. The one file of the room that runs when it is loaded. */
import { unpackFlame, type PackedFlame } from '../flame/pack.ts';
import { button } from './elements.ts';
import { FlameView } from './flame-view.ts';

declare global {
  // For the console: `droverFlame.frames('parse')`, `droverFlame.search('/json/i')`.
  var droverFlame: FlameView | undefined;
}

const THEMES = ['auto', 'light', 'dark'] as const;

const data = document.querySelector('#flame-data')?.textContent ?? '';
const root = document.querySelector<HTMLElement>('#flame');
if (root !== null) {
  const model = unpackFlame(JSON.parse(data) as PackedFlame);
  const view = new FlameView(root, model);
  globalThis.droverFlame = view;
  const element = document.documentElement;
  const choose = button('Theme: auto', { class: 'flame-theme' }, () => {
    const now = element.dataset['theme'] ?? 'auto';
    const next = THEMES[(THEMES.findIndex((theme) => theme === now) + 1) % THEMES.length] ?? 'auto';
    if (next === 'auto') delete element.dataset['theme'];
    else element.dataset['theme'] = next;
    choose.textContent = `Theme: ${next}`;
    view.refreshTheme();
  });
  document.querySelector('header')?.append(choose);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view.refreshTheme());
  view.canvas.focus({ preventScroll: true });
}
