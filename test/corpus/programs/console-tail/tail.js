const LIMIT = 12_000;

/** The last twelve thousand characters of what a job printed. */
class Tail {
  #text = '';

  write(line) {
    this.#text += `${line}\n`;
    if (this.#text.length > LIMIT) this.#text = Buffer.from(this.#text.slice(-LIMIT / 2)).toString();
  }

  toString() {
    return this.#text;
  }
}

module.exports = { Tail };
