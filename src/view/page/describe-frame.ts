/** What a frame says of itself: in the tooltip, in the line beneath the chart, and read aloud. */
import { describeChange } from '../flame/change.ts';
import type { FlameLayout } from '../flame/layout.ts';
import type { FlameLabel, FlameModel } from '../flame/model.ts';
import { formatQuantity, formatShare } from '../flame/quantity.ts';
import type { Scenes } from './scenes.ts';

/** Hostile names may be a megabyte; people read less. */
const MOST_LETTERS = 300;

export const clip = (text: string): string => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text);

/** `src/cache.ts:31:7`, as editors and terminals open it; empty where unknown. */
export function placeOf({ file, line, column }: FlameLabel): string {
  if (file === '') return '';
  if (line === 0) return clip(file);
  return `${clip(file)}:${line}${column === 0 ? '' : `:${column}`}`;
}

export interface FrameWords {
  readonly name: string;
  /** Location; empty where unknown. */
  readonly place: string;
  /** One fact a line. */
  readonly lines: readonly string[];
}

export interface FrameContext {
  readonly model: FlameModel;
  readonly scenes: Scenes;
  readonly layout: FlameLayout;
  /** In a tree of callers, a frame's own weight means nothing. */
  readonly isCallers: boolean;
}

export function describeFrame(frame: number, { model, scenes, layout, isCallers }: FrameContext): FrameWords {
  const label = model.labels[layout.labelOf[frame] as number] as FlameLabel;
  const whole = scenes.wholeOf('after') || 1;
  const total = layout.total[frame] as number;
  const self = layout.self[frame] as number;
  const amount = (value: number, of: number): string =>
    `${formatQuantity(value, model.unit)} (${formatShare(value / (of || 1))})`;
  const lines: string[] = [];
  if (model.sides === null) {
    lines.push(`here: ${amount(total, whole)}${isCallers ? '' : `, itself ${amount(self, whole)}`}`);
    lines.push(`everywhere: ${amount(label.total, whole)}, itself ${amount(label.self, whole)}`);
  } else {
    const wholeBefore = scenes.wholeOf('before') || 1;
    const before = layout.totalBefore?.[frame] ?? 0;
    lines.push(`${model.sides[0]}: ${amount(before, wholeBefore)}`);
    lines.push(`${model.sides[1]}: ${amount(total, whole)}`);
    lines.push(`change here: ${describeChange(before / wholeBefore, total / whole)}`);
    lines.push(...describeLabelChange(label, whole, wholeBefore));
  }
  const parent = layout.parent[frame] as number;
  if (parent > 0) {
    const above = layout.total[parent] as number;
    if (above > 0) lines.push(`${formatShare(total / above)} of ${isCallers ? 'what it calls here' : 'its caller'}`);
  }
  const group = model.groups[label.group]?.name;
  if (group !== undefined) lines.push(label.note === '' ? group : `${group}, ${clip(label.note)}`);
  return { name: clip(label.name), place: placeOf(label), lines };
}

function describeLabelChange(label: FlameLabel, whole: number, wholeBefore: number): string[] {
  const { change } = label;
  if (change === null) return [];
  const own = describeChange(change.selfBefore / wholeBefore, label.self / whole);
  return [`itself, everywhere: ${own}`, describeSignificance(change)];
}

/** `changed itself, beyond noise (q = 0.0012): 12.3 % more …`. */
export function describeSignificance({ q, isSignificant, note }: NonNullable<FlameLabel['change']>): string {
  if (isSignificant === null) return 'not tested';
  const chance = q === null ? '' : ` (q ${q < 0.0001 ? '< 0.0001' : `= ${q.toFixed(4)}`})`;
  return `${isSignificant ? 'changed itself, beyond noise' : 'no change of its own beyond noise'}${chance}${note === '' ? '' : `: ${note}`}`;
}
