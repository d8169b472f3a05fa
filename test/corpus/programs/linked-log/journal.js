class Entry {
  constructor(text, level) {
    this.text = text;
    this.level = level;
    this.next = null;
  }
}

let first = null;
let last = null;
let size = 0;

function append(entry) {
  if (last === null) first = last = entry;
  else last = last.next = entry;
  size += 1;
}

function describe() {
  return `${size} entries since ${first.text}`;
}

exports.write = async (n) => {
  append(new Entry(`job ${n} ran for ${n % 13} ms`, n % 50 === 0 ? 'warn' : 'info'));
  return describe();
};
