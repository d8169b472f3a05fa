const { AsyncResource } = require('node:async_hooks');
const { currentRequest } = require('./request-context.js');

const atShutdown = [];
const totals = { actions: 0 };

function writeSummary() {
  return `${currentRequest().id} by ${currentRequest().user}: ${totals.actions} actions by now`;
}

exports.audit = function audit(action) {
  totals.actions += 1;
  currentRequest().seen.push(action);
  atShutdown.push(AsyncResource.bind(writeSummary));
};

exports.finish = () => atShutdown.map((write) => write());
