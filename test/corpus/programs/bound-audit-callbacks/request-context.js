const { AsyncLocalStorage } = require('node:async_hooks');

const requests = new AsyncLocalStorage();

exports.withRequest = (request, work) => requests.run({ ...request, seen: [] }, work);
exports.currentRequest = () => requests.getStore();
