import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><main><ul id="toasts"></ul></main>');
const list = document.querySelector('#toasts');
const shownAt = new Map();

export function show(text) {
  const toast = document.createElement('li');
  toast.className = 'toast';
  toast.innerHTML = `<b>Saved</b> <span>${text}</span> <button type="button">Undo</button>`;
  list.append(toast);
  shownAt.set(toast, Date.now());
  if (list.children.length > 4) list.firstElementChild.remove();
}

export const ageOf = (toast) => Date.now() - (shownAt.get(toast) ?? 0);
export const render = () => document.toString();
