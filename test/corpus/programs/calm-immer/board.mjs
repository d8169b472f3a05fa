import { enablePatches, produceWithPatches } from 'immer';

enablePatches();
const undo = [];
let state = { cards: Array.from({ length: 30 }, (_, id) => ({ id, lane: 0 })), moves: 0 };

export async function move(n) {
  const [next, , inverse] = produceWithPatches(state, (draft) => {
    draft.cards[n % 30].lane = (draft.cards[n % 30].lane + 1) % 4;
    draft.moves++;
  });
  undo.push(inverse);
  if (undo.length > 40) undo.shift();
  state = next;
  return state.moves;
}
