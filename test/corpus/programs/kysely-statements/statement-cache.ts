import type { CompiledQuery } from 'kysely';

export interface Statement {
  query: CompiledQuery;
  preparedAt: number;
  uses: number;
}

export class StatementCache {
  readonly #statements = new Map<string, Statement>();

  prepare(query: CompiledQuery): Statement {
    let statement = this.#statements.get(query.sql);
    if (statement === undefined) {
      statement = { query, preparedAt: Date.now(), uses: 0 };
      this.#statements.set(query.sql, statement);
    }
    statement.uses += 1;
    return statement;
  }
}
