const SIZE = 120;
let young = new Map();
let old = new Map();

function remember(key, value) {
  young.set(key, value);
  if (young.size < SIZE) return;
  old = young;
  young = new Map();
}

function recall(key) {
  const value = young.get(key) ?? old.get(key);
  if (value !== undefined && !young.has(key)) remember(key, value);
  return value;
}

async function ask(address) {
  return {
    address,
    position: [address.length * 0.7, address.length * 1.3],
    source: 'survey',
    parts: address.split(' '),
  };
}

export async function locate(number) {
  const address = `${number % 800} Main Street, town ${number % 17}`;
  let place = recall(address);
  if (place === undefined) {
    place = await ask(address);
    remember(address, place);
  }
  return place.position;
}
