/**
 * What a report that is read (and not only looked at) does by itself, as the JavaScript that runs in the browser: the theme, the keys, tables that
 * sort by a column. Text and not a module, because the page has to be one file.
 */
export const DOCUMENT_SCRIPT = `'use strict';
(() => {
  const root = document.documentElement;
  const theme = document.getElementById('theme');
  const keys = document.getElementById('keys');
  const themes = ['system', 'light', 'dark'];
  const turnTheme = () => {
    const next = themes[(themes.indexOf(root.dataset.theme || 'system') + 1) % themes.length];
    if (next === 'system') delete root.dataset.theme;
    else root.dataset.theme = next;
    theme.textContent = 'Theme: ' + next;
    root.dispatchEvent(new CustomEvent('themechange'));
  };
  theme.addEventListener('click', turnTheme);
  document.getElementById('keys-button').addEventListener('click', () => keys.showModal());
  const sections = () => [...document.querySelectorAll('main section')];
  const goTo = (step) => {
    const all = sections();
    if (all.length === 0) return;
    const here = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[Math.min(all.length - 1, Math.max(0, here === -1 ? (step > 0 ? 0 : all.length - 1) : here + step))];
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'start' });
  };
  document.addEventListener('keydown', (event) => {
    const target = event.target;
    const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select');
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || keys.open) return;
    if (event.key === 't') turnTheme();
    else if (event.key === '?') keys.showModal();
    else if (event.key === 'n') goTo(1);
    else if (event.key === 'p') goTo(-1);
    else return;
    event.preventDefault();
  });
  const valueOf = (row, column, isNumber) => {
    const cell = row.cells[column];
    return isNumber ? Number(cell.dataset.value ?? cell.textContent) : cell.textContent;
  };
  const sortBy = (table, column, button) => {
    const head = button.closest('th');
    const isNumber = head.classList.contains('number');
    const direction = head.getAttribute('aria-sort') === (isNumber ? 'descending' : 'ascending') ? 'flip' : 'first';
    const isDown = isNumber === (direction === 'first');
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, two) => {
      const [a, b] = [valueOf(one, column, isNumber), valueOf(two, column, isNumber)];
      const order = isNumber ? a - b : a.localeCompare(b);
      return isDown ? -order : order;
    });
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll('table[data-sortable]'))
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => sortBy(table, column, button));
    }
})();
`;
