function recordAccess(target) {
  const accesses = [];
  const proxy = new Proxy(target, {
    get(object, key, receiver) {
      if (key === 'report') return () => new Set(accesses.map((access) => access.key));
      accesses.push({ key, at: performance.now(), known: Reflect.has(object, key) });
      return Reflect.get(object, key, receiver);
    },
  });
  return proxy;
}

const settings = recordAccess({
  shippingBase: 4.9,
  shippingPerKilo: 1.2,
  freeFrom: 80,
  islandSurcharge: 12,
  currency: 'EUR',
});

export async function priceShipment(number) {
  const parcel = { kilos: 1 + (number % 9), value: number % 120, island: number % 40 === 0 };
  if (parcel.value > settings.freeFrom) return 0;
  const price = settings.shippingBase + parcel.kilos * settings.shippingPerKilo;
  return parcel.island ? price + settings.islandSurcharge : price;
}
