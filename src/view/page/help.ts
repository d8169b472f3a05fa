/** What keys and pointers do, as a list that opens. */
import { make } from './elements.ts';
import { KEY_WORDS } from './keys.ts';

const POINTER_WORDS: readonly (readonly [pointer: string, does: string])[] = [
  ['Wheel, pinch', 'zoom; with shift, move'],
  ['Drag', 'move'],
  ['Double click', 'zoom to the frame'],
];

export function renderHelp(): HTMLElement {
  const list = make('dl', { class: 'flame-keys' });
  for (const [keys, does] of [...KEY_WORDS, ...POINTER_WORDS]) list.append(make('dt', {}, keys), make('dd', {}, does));
  return make('details', {}, make('summary', {}, 'Keys and pointer'), list);
}
