import initSqlJs from 'sql.js';

const SQL = await initSqlJs();
const db = new SQL.Database();
db.run('create table articles (id integer primary key, title text, stock integer)');
for (let id = 0; id < 50; id++) db.run('insert into articles values (?, ?, ?)', [id, `article ${id}`, id * 3]);

/** Prepared, because values must never be written into SQL. */
function all(sql, values) {
  const statement = db.prepare(sql, values);
  const rows = [];
  while (statement.step()) rows.push(statement.getAsObject());
  return rows;
}

export async function lowStock(number) {
  return all('select id, title from articles where stock < ? order by id limit 5', [number % 60]).length;
}
