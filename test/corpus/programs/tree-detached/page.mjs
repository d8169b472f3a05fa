import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><html><body><main id="main"></main></body></html>');
const main = document.getElementById('main');

/** Widgets by id, so that an update finds its element without a search. */
const widgets = new Map();

function createWidget(id, title, lines) {
  const section = document.createElement('section');
  section.id = id;
  const heading = document.createElement('h2');
  heading.textContent = title;
  section.append(heading);
  const list = document.createElement('ul');
  for (const line of lines) {
    const item = document.createElement('li');
    item.textContent = line;
    list.append(item);
  }
  section.append(list);
  widgets.set(id, section);
  return section;
}

function updateTitle(id, title) {
  widgets.get(id).firstElementChild.textContent = title;
}

export async function showNotification(number) {
  const id = `note-${number}`;
  const widget = createWidget(id, 'New order', [`order ${number}`, 'paid', 'to be shipped']);
  main.append(widget);
  updateTitle(id, `New order ${number}`);
  const html = main.toString();
  widget.remove();
  return html.length;
}
