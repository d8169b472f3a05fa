const history = [];

function recordRequest(request, reply) {
  history.push({ request, status: reply.statusCode, elapsedMs: reply.elapsedTime });
}

function listRecent(count) {
  return history.slice(-count).map(({ request, status, elapsedMs }) => ({
    method: request.method,
    url: request.url,
    status,
    elapsedMs: Math.round(elapsedMs),
  }));
}

module.exports = { recordRequest, listRecent };
