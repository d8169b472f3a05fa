import { atom } from 'nanostores';

export const $online = atom(new Set());

export const enter = (user) => $online.set(new Set([...$online.get(), user]));

export function leave(user) {
  const rest = new Set($online.get());
  rest.delete(user);
  $online.set(rest);
}
