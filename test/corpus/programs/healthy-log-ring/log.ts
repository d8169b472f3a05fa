interface LogRecord {
  at: number;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

class RingLog {
  readonly #records: (LogRecord | undefined)[];
  #next = 0;

  constructor(capacity: number) {
    this.#records = Array.from({ length: capacity });
  }

  write(level: string, message: string, fields: Record<string, unknown>): void {
    this.#records[this.#next % this.#records.length] = { at: Date.now(), level, message, fields };
    this.#next += 1;
  }

  last(count: number): LogRecord[] {
    const all: LogRecord[] = [];
    for (let index = Math.max(0, this.#next - count); index < this.#next; index++) {
      const record = this.#records[index % this.#records.length];
      if (record !== undefined) all.push(record);
    }
    return all;
  }
}

const log = new RingLog(300);

export async function handleEvent(number: number): Promise<number> {
  log.write('info', `event ${number} handled`, { number, shard: number % 4, owner: `team-${number % 6}` });
  if (number % 50 === 0) log.write('warn', 'slow event', { number, tookMs: 120 });
  return log.last(5).length;
}
