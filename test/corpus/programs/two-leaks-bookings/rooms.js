const { EventEmitter } = require('node:events');

class Room extends EventEmitter {
  constructor(name) {
    super();
    this.name = name;
    this.booked = 0;
    this.setMaxListeners(0);
  }

  book(hours) {
    this.booked += hours;
    this.emit('booked', hours);
  }
}

exports.rooms = ['attic', 'cellar', 'garden'].map((name) => new Room(name));
