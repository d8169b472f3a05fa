export class RetryQueue {
  #waiting = [];
  #work;

  constructor(work) {
    this.#work = work;
  }

  push(job) {
    this.#waiting.push({ job, attempts: 0, lastError: null });
  }

  async drain(limit) {
    const batch = this.#waiting.splice(0, limit);
    for (const entry of batch) {
      try {
        await this.#work(entry.job);
      } catch (error) {
        entry.attempts += 1;
        entry.lastError = error.message;
        this.#waiting.push(entry);
      }
    }
    return batch.length;
  }
}
