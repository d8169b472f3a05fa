const LIMIT = 64;

/** Collects rows and writes them in one go. */
export class BulkInsert {
  #rows = [];
  #written = 0;

  async add(row) {
    this.#rows.push({ ...row, at: Date.now() });
    if (this.#rows.length >= LIMIT) await this.flush();
    return this.#written;
  }

  async flush() {
    const rows = this.#rows;
    this.#rows = [];
    await new Promise((resolve) => setImmediate(resolve));
    this.#written += JSON.stringify(rows).length;
  }
}
