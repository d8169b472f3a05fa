const { createLogger, format } = require('winston');
const Transport = require('winston-transport');

const logger = createLogger({
  level: 'info',
  format: format.combine(format.timestamp(), format.json()),
  transports: [],
});
logger.setMaxListeners(0);

/** Collects the lines of one request, for its answer. */
class MemoryTransport extends Transport {
  constructor(requestId) {
    super({ level: 'info' });
    this.requestId = requestId;
    this.lines = [];
  }

  log(info, callback) {
    if (info.requestId === this.requestId) this.lines.push(info.message);
    callback();
  }
}

module.exports = { logger, MemoryTransport };
