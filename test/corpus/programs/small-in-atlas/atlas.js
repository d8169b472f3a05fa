/** All places that we deliver to: read once, never changed. */
const places = [];
for (let i = 0; i < 260_000; i++) {
  places.push({ code: i, name: `place ${i}`, position: { north: 47 + (i % 700) / 100, east: 6 + (i % 900) / 100 } });
}

exports.find = (code) => places[code % places.length];
