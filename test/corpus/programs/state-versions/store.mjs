function createStore(reduce, initial) {
  let state = initial;
  const past = [];
  return {
    dispatch(action) {
      past.push(structuredClone(state));
      state = reduce(state, action);
      return state;
    },
    undo() {
      state = past.pop() ?? state;
      return state;
    },
  };
}

function reduce(state, action) {
  if (action.type !== 'order') return state;
  const open = [...state.open, { id: action.id, total: action.total }].slice(-25);
  return { ...state, open, revenue: state.revenue + action.total };
}

const store = createStore(reduce, { open: [], revenue: 0, region: 'north' });

export async function dispatchOrder(number) {
  const state = store.dispatch({ type: 'order', id: number, total: (number % 50) + 0.5 });
  return state.open.length;
}
