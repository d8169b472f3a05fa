const totals = { credit: 0, debit: 0, lines: 0, largest: '' };

function fakeStatement(number) {
  const bookings = Array.from({ length: 30 }, (_, index) => ({
    [`ref_${number}_${index}`]: `IBAN AT${number}${index}`,
    amount: ((number * 31 + index * 17) % 400) - 180,
    text: `booking ${index} of statement ${number}`,
  }));
  return JSON.stringify({ account: `A-${number}`, bookings });
}

function classify(booking) {
  if (booking.amount >= 0) totals.credit += booking.amount;
  else totals.debit -= booking.amount;
  if (booking.amount > 200) totals.largest = booking.text;
  totals.lines += 1;
}

export async function summarise(number) {
  const { account, bookings } = JSON.parse(fakeStatement(number));
  for (const booking of bookings) classify(booking);
  return `${account}: ${bookings.length} bookings, ${totals.credit - totals.debit}`;
}
