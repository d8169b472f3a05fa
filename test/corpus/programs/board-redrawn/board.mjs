import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><main><section id="board"></section></main>');
const cards = new Map();

function draw({ id, title, votes }) {
  const card = document.createElement('article');
  card.id = id;
  card.innerHTML = `<h2>${title}</h2><p>${votes} votes</p>`;
  card.addEventListener('click', () => (card.className = `seen by ${title}`));
  cards.get(id)?.replaceWith(card);
  cards.set(id, card);
  return card;
}

/** Cards of thirty tasks, each drawn anew when it changes. */
export async function change(number) {
  const board = document.querySelector('#board');
  const card = draw({ id: `task-${number % 30}`, title: `Task, version ${number}`, votes: number % 13 });
  if (card.parentNode === null) board.append(card);
  card.click();
  return board.children.length;
}
