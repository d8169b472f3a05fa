const express = require('express');
const { rooms } = require('./rooms.js');
const { remindOf } = require('./reminders.js');

const app = express();

app.post('/rooms/:index/bookings', (request, response) => {
  const room = rooms[Number(request.params.index)];
  const view = { room: room.name, booked: 0 };
  room.on('booked', (hours) => {
    view.booked += hours;
  });
  room.book(2);
  remindOf({ room: room.name, by: request.get('x-user'), hours: 24, guests: [1, 2, 3], reminded: false });
  response.status(201).json(view);
});

app.listen(process.env.PORT);
