import { createServer } from 'node:http';

class Place {
  constructor(id) {
    this.id = id;
    this.name = `Place ${id}`;
    this.latitude = (id * 7919) % 90;
    this.longitude = (id * 104_729) % 180;
  }
}

const places = Array.from({ length: 40_000 }, (_, id) => new Place(id));
const byCell = new Map();
for (const place of places) {
  const cell = `${place.latitude}/${place.longitude}`;
  const list = byCell.get(cell);
  if (list === undefined) byCell.set(cell, [place]);
  else list.push(place);
}

const server = createServer((request, response) => {
  const query = new URL(request.url, 'http://localhost').searchParams;
  const found = byCell.get(`${query.get('lat')}/${query.get('lon')}`) ?? [];
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(found.slice(0, 5)));
});

server.listen(process.env.PORT);
