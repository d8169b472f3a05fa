let handle = (request) => ({ status: 200, body: `hello ${request.path}` });

function readConfiguration(version) {
  return {
    version,
    limits: Array.from({ length: 30 }, (_, route) => ({ route: `/v${version}/r${route}`, perMinute: 60 + route })),
    loadedAt: new Date(),
  };
}

function withLimits(next, configuration) {
  const limits = new Map(configuration.limits.map((limit) => [limit.route, limit]));
  return (request) => {
    const limit = limits.get(request.path);
    if (limit !== undefined && request.count > limit.perMinute) return { status: 429, body: 'slow down' };
    // Routes that the new configuration does not know go on as before.
    return limit === undefined && request.depth < 3
      ? next({ ...request, depth: request.depth + 1 })
      : { status: 200, body: 'ok' };
  };
}

export async function reloadConfiguration(number) {
  handle = withLimits(handle, readConfiguration(number));
  return handle({ path: `/v${number}/r1`, count: 1, depth: 0 }).status;
}
