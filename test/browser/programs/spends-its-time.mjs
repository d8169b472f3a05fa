// Spends its time in functions that a profile knows by name, then waits a little, so that there is idle time too.
function parseOrders(count) {
  const text = JSON.stringify(Array.from({ length: count }, (_, at) => ({ id: at, name: `order ${at}` })));
  return JSON.parse(text).length;
}

function sumDigits(rounds) {
  let sum = 0;
  for (let at = 0; at < rounds; at += 1) sum = (sum * 31 + at) | 0;
  return sum;
}

function answerOne() {
  return parseOrders(8000) + sumDigits(2_000_000);
}

function descend(depth) {
  return depth === 0 ? sumDigits(3_000_000) : descend(depth - 1) + 1;
}

function spend(milliseconds) {
  const end = Date.now() + milliseconds;
  let total = 0;
  while (Date.now() < end) total += answerOne() + descend(12);
  return total;
}

console.log(spend(300));
setTimeout(() => console.log(spend(200)), 150);
