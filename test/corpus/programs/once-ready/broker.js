const { EventEmitter } = require('node:events');

class Broker extends EventEmitter {
  constructor() {
    super();
    this.setMaxListeners(0);
    this.state = 'connected';
    this.published = 0;
  }

  publish(topic, message) {
    // Back-pressure after every third message; `drain` comes only when the buffer was really full.
    this.published += 1;
    return message.length > 0 && this.published % 3 !== 0;
  }
}

module.exports = { broker: new Broker() };
