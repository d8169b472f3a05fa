interface Sale {
  readonly shop: number;
  readonly cents: number;
  readonly article: string;
}

const titles = new Map<number, () => string>();

function salesOf(month: number): Sale[] {
  return Array.from({ length: 90 }, (_, i) => ({
    shop: (month + i) % 7,
    cents: 100 + i * month,
    article: `article ${month}/${i}`,
  }));
}

/** Titles are only put together for those months that somebody looks at. */
export async function closeMonth(month: number): Promise<number> {
  const sales = salesOf(month);
  const year = 1990 + Math.floor(month / 12);
  const best = () => sales.reduce((most, sale) => (sale.cents > most.cents ? sale : most)).article;
  const title = () => `Sales of month ${month % 12} in ${year}`;
  titles.set(month, title);
  await Promise.resolve();
  return best().length + (titles.get(month - 1)?.().length ?? 0);
}
