/**
 * The treemap in the browser: lays two levels out by Bruls, Huizing and van Wijk's "Squarified Treemaps" (2000), goes in and
 * out, finds, and says what the focused box is. Text and not a module, because the page has to be one file. Positions are
 * set from here, as the page's policy blocks `style` attributes.
 */
export const TREEMAP_SCRIPT = `'use strict';
(() => {
  const HEAD = 18;
  const SMALLEST = 3;
  const MOST_BOXES = 600;
  const formatBytes = (bytes) => {
    for (const [unit, scale] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]])
      if (bytes >= scale) return (bytes / scale).toFixed(bytes / scale < 100 ? 1 : 0) + ' ' + unit;
    return Math.round(bytes) + ' B';
  };
  // Rows of boxes along the shorter side, each as square as can be.
  const squarify = (items, x, y, width, height) => {
    const placed = [];
    let left = items.reduce((sum, item) => sum + item.size, 0);
    let rest = items;
    while (rest.length > 0 && width > 0 && height > 0 && left > 0) {
      const scale = (width * height) / left;
      const side = Math.min(width, height);
      let row = [];
      let rowSize = 0;
      let worst = Infinity;
      for (const item of rest) {
        const size = (rowSize + item.size) * scale;
        const largest = Math.max(row.length > 0 ? row[0].size : 0, item.size) * scale;
        const next = Math.max((side * side * largest) / (size * size), (size * size) / (side * side * item.size * scale));
        if (next > worst) break;
        row.push(item);
        rowSize += item.size;
        worst = next;
      }
      const thick = (rowSize * scale) / side;
      let at = 0;
      for (const item of row) {
        const long = (item.size / rowSize) * side;
        if (width < height) placed.push({ ...item, x: x + at, y, width: long, height: thick });
        else placed.push({ ...item, x, y: y + at, width: thick, height: long });
        at += long;
      }
      if (width < height) { y += thick; height -= thick; } else { x += thick; width -= thick; }
      left -= rowSize;
      rest = rest.slice(row.length);
    }
    return placed;
  };
  for (const map of document.querySelectorAll('[data-treemap]')) {
    const model = JSON.parse(document.getElementById(map.id + '-data').textContent);
    const [path, status, search] = ['path', 'status', 'search'].map((part) => document.getElementById(map.id + '-' + part));
    const children = model.parent.map(() => []);
    model.parent.forEach((parent, box) => { if (parent >= 0) children[parent].push(box); });
    const nameOf = (box) => model.names[model.name[box]];
    const lineage = (box) => { const line = []; for (let at = box; at >= 0; at = model.parent[at]) line.unshift(at); return line; };
    let top = 0;
    let focused = 0;
    const describe = (box) =>
      lineage(box).map(nameOf).join(' › ') + ': ' + formatBytes(model.bytes[box]) + ', ' +
      ((model.bytes[box] / model.bytes[0]) * 100).toFixed(1) + ' % of the whole' +
      (model.notes[box] ? '. ' + model.notes[box] : '');
    const say = (box) => { status.textContent = describe(box); };
    const isFound = (box) => search.value !== '' && nameOf(box).toLowerCase().includes(search.value.toLowerCase());
    const draw = (placed) => {
      const { box, x, y, width, height } = placed;
      const element = document.createElement('button');
      element.type = 'button';
      element.className = 'box kind-' + model.kind[box] + (isFound(box) ? ' found' : '');
      element.dataset.box = box;
      element.tabIndex = box === focused ? 0 : -1;
      Object.assign(element.style, { left: x + 'px', top: y + 'px', width: width + 'px', height: height + 'px' });
      element.setAttribute('aria-label', describe(box));
      element.title = describe(box);
      if (width > 24 && height > 12) element.textContent = nameOf(box) + '  ' + formatBytes(model.bytes[box]);
      map.append(element);
    };
    const sizesOf = (boxes) => boxes.map((box) => ({ box, size: model.bytes[box] })).filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
    // What the box itself has, and what was too small for a box of its own, stays empty.
    const place = (box, x, y, width, height) => {
      const items = sizesOf(children[box]);
      const below = items.reduce((sum, item) => sum + item.size, 0);
      if (items.length === 0 || below === 0) return [];
      const share = Math.min(1, below / model.bytes[box]);
      if (width > height) return squarify(items, x, y, width * share, height);
      return squarify(items, x, y, width, height * share);
    };
    const render = () => {
      map.replaceChildren();
      const { clientWidth: width, clientHeight: height } = map;
      let drawn = 1;
      draw({ box: top, x: 0, y: 0, width, height });
      for (const outer of place(top, 2, HEAD, width - 4, height - HEAD - 2)) {
        if (outer.width < SMALLEST || outer.height < SMALLEST || drawn > MOST_BOXES) continue;
        draw(outer);
        drawn += 1;
        if (outer.height < HEAD * 2) continue;
        for (const inner of place(outer.box, outer.x + 2, outer.y + HEAD, outer.width - 4, outer.height - HEAD - 2)) {
          if (inner.width < SMALLEST || inner.height < SMALLEST || drawn > MOST_BOXES) continue;
          draw(inner);
          drawn += 1;
        }
      }
      path.replaceChildren(...lineage(top).flatMap((box, at) => {
        const step = document.createElement('button');
        step.type = 'button';
        step.textContent = nameOf(box);
        step.addEventListener('click', () => goTo(box, box));
        return at === 0 ? [step] : [' › ', step];
      }));
    };
    const focus = (box) => {
      const element = map.querySelector('[data-box="' + box + '"]');
      if (element === null) return;
      for (const other of map.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
      focused = box;
      element.tabIndex = 0;
      element.focus();
      say(box);
    };
    const goTo = (box, next) => {
      top = box;
      focused = next;
      render();
      focus(next);
    };
    const goInto = (box) => {
      if (children[box].length > 0) goTo(box, sizesOf(children[box])[0]?.box ?? box);
    };
    const goOut = () => { if (model.parent[top] >= 0) goTo(model.parent[top], top); };
    map.addEventListener('click', (event) => {
      const box = Number(event.target.dataset.box);
      if (box === top) goOut(); else if (children[box].length > 0) goInto(box); else focus(box);
    });
    map.addEventListener('mouseover', (event) => { if (event.target.dataset.box !== undefined) say(Number(event.target.dataset.box)); });
    map.addEventListener('keydown', (event) => {
      const shown = (boxes) => boxes.filter((box) => map.querySelector('[data-box="' + box + '"]') !== null);
      const parent = model.parent[focused];
      const siblings = focused === top ? [top] : shown(sizesOf(children[parent]).map((item) => item.box));
      const at = siblings.indexOf(focused);
      const below = shown(sizesOf(children[focused]).map((item) => item.box));
      if (event.key === 'ArrowRight') focus(siblings[Math.min(siblings.length - 1, at + 1)]);
      else if (event.key === 'ArrowLeft') focus(siblings[Math.max(0, at - 1)]);
      else if (event.key === 'ArrowDown') { if (below.length > 0) focus(below[0]); else goInto(focused); }
      else if (event.key === 'ArrowUp') { if (focused !== top) focus(parent); else goOut(); }
      else if (event.key === 'Enter' || event.key === ' ') goInto(focused);
      else if (event.key === 'Escape' || event.key === 'Backspace') goOut();
      else return;
      event.preventDefault();
    });
    search.addEventListener('input', () => {
      render();
      const count = model.name.filter((_, box) => isFound(box)).length;
      status.textContent = search.value === '' ? describe(top) : count + (count === 1 ? ' box is' : ' boxes are') + ' called so; those in sight are framed';
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== '/' || event.target.matches('input, textarea') || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      search.focus();
    });
    new ResizeObserver(render).observe(map);
    render();
    say(0);
  }
})();
`;
