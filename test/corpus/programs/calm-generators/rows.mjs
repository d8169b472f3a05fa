let open = 0;

async function* rows(n) {
  open++;
  try {
    for (let i = 0; i < 50; i++) yield { id: i, text: `row ${i} of ${n}` };
  } finally {
    open--;
  }
}

export async function readRows(n) {
  let count = 0;
  for await (const row of rows(n)) {
    count++;
    if (row.id === n % 50) break;
  }
  return { count, open };
}
