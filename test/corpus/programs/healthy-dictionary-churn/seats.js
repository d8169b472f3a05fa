const reserved = {};
const order = [];
const HOLD = 100;

function reserve(seat, customer) {
  if (reserved[seat] !== undefined) return false;
  reserved[seat] = { customer, at: Date.now(), price: 40 + (seat.length % 5), extras: { meal: false, wifi: true } };
  order.push(seat);
  return true;
}

function releaseOldest() {
  const seat = order.shift();
  const { customer } = reserved[seat];
  delete reserved[seat];
  return customer;
}

exports.sellTicket = async (number) => {
  const sold = reserve(`flight-${number % 9}/row-${number}`, `customer-${number}`);
  if (order.length > HOLD) releaseOldest();
  return sold;
};
