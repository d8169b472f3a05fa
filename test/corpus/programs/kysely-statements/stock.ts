import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import { StatementCache } from './statement-cache.ts';

interface Database {
  stock: { sku: string; warehouse: number; quantity: number };
}

const db = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (inner) => new PostgresIntrospector(inner),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

const cache = new StatementCache();

export async function countStock(number: number): Promise<number> {
  const query = db
    .selectFrom('stock')
    .select(({ fn }) => fn.sum('quantity').as('total'))
    .where('warehouse', '=', number % 4)
    .where(sql<boolean>`sku like ${sql.lit(`sku-${number}%`)}`)
    .compile();
  const statement = cache.prepare(query);
  return statement.uses;
}
