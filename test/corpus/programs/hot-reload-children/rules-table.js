const levels = ['bronze', 'silver', 'gold'];

const table = levels.flatMap((level, rank) =>
  Array.from({ length: 15 }, (_, index) => ({
    level,
    from: index * 100,
    discount: rank * 2 + index / 10,
    text: `${level} customers from ${index * 100}`,
  })),
);

module.exports = {
  table,
  discountFor: (level, amount) => table.findLast((rule) => rule.level === level && rule.from <= amount)?.discount ?? 0,
};
