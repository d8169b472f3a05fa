const winston = require('winston');
const { Writable } = require('node:stream');

const nowhere = new Writable({ write: (_chunk, _encoding, callback) => callback() });
nowhere.setMaxListeners(0);

/** A logger that writes the id of its request with each line. */
exports.loggerFor = (requestId) =>
  winston.loggers.get(requestId, {
    level: 'info',
    defaultMeta: { requestId },
    format: winston.format.json(),
    transports: [new winston.transports.Stream({ stream: nowhere })],
  });
