/** What the colours mean. */
import { CHANGE_STEPS } from '../flame/change.ts';
import type { FlameModel } from '../flame/model.ts';
import { changeSwatch, type Theme } from '../flame/palette.ts';
import { make } from './elements.ts';

export function renderLegend(model: FlameModel, theme: Theme): HTMLElement[] {
  if (model.sides === null) {
    const used = new Set(Array.from(model.tree.labelOf, (label) => model.labels[label]?.group));
    return model.groups.flatMap(({ name, swatch }, group) => (used.has(group) ? [entry(theme, swatch, name)] : []));
  }
  const points = (share: number): string => String(share * 100);
  const last = CHANGE_STEPS.length;
  const words = (step: number): string => {
    const size = Math.abs(step);
    if (size === 0) return 'same, or noise';
    const sign = step > 0 ? '▲ +' : '▼ −';
    const from = points(CHANGE_STEPS[size - 1] ?? 0);
    return size === last ? `${sign}${from} points or more` : `${sign}${from}`;
  };
  const steps = Array.from({ length: 2 * last + 1 }, (_, at) => at - last);
  return steps.map((step) => entry(theme, changeSwatch(step), words(step), step > 0));
}

function entry(theme: Theme, swatch: number, name: string, isHatched = false): HTMLElement {
  const sample = make('span', {
    class: isHatched ? 'flame-swatch flame-hatched' : 'flame-swatch',
    'aria-hidden': 'true',
  });
  sample.style.backgroundColor = theme.fill[swatch] ?? 'transparent';
  return make('li', {}, sample, name);
}
