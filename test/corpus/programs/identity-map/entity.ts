export interface Row {
  readonly id: number;
  readonly [column: string]: unknown;
}

/** The same row is the same object for as long as the process lives. */
export class Entity {
  static readonly identities: Record<string, Entity> = {};

  readonly row: Row;
  private dirty: Set<string> = new Set();

  constructor(row: Row) {
    this.row = row;
  }

  static of<T extends Entity>(this: new (row: Row) => T, row: Row): T {
    const key = `${this.name}:${row.id}`;
    return (Entity.identities[key] ??= new this(row)) as T;
  }

  touch(column: string): void {
    this.dirty.add(column);
  }

  get changed(): boolean {
    return this.dirty.size > 0;
  }
}
