import { enablePatches, produceWithPatches } from 'immer';

enablePatches();

class Board {
  undo = [];
  state = { lanes: { todo: ['a', 'b', 'c'], doing: [], done: [] }, moves: 0, last: null };

  move(card, to) {
    const [next, , inverse] = produceWithPatches(this.state, (draft) => {
      for (const lane of Object.values(draft.lanes)) {
        const at = lane.indexOf(card);
        if (at !== -1) lane.splice(at, 1);
      }
      draft.lanes[to].push(card);
      draft.last = { card, to, at: Date.now() };
      draft.moves++;
    });
    this.undo.push(inverse);
    this.state = next;
  }
}

const board = new Board();

export async function move(n) {
  board.move('abc'[n % 3], ['todo', 'doing', 'done'][(n + 1) % 3]);
  return board.state.moves;
}
