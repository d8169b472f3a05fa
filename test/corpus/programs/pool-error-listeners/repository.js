const { acquire, release } = require('./connection-pool.js');

async function withTransaction(label, work) {
  const connection = await acquire();
  const transaction = { label, statements: [], failed: false };
  connection.on('error', (error) => {
    transaction.failed = true;
    transaction.statements.push(`failed: ${error.message}`);
  });
  try {
    return await work(connection, transaction);
  } finally {
    release(connection);
  }
}

exports.moveStock = (number) =>
  withTransaction(`move ${number}`, async (connection, { statements }) => {
    statements.push('update stock set amount = amount - ?', 'update stock set amount = amount + ?');
    const rows = await connection.query(statements[0], [number % 10, number % 12]);
    return rows.length;
  });
