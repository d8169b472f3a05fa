const DEFAULTS = { checkout: 'v1', search: 'classic', banner: 'none', recommendations: 'off' };

function applyFlags(app, changes) {
  const flags = { ...DEFAULTS, ...changes, appliedAt: new Date().toISOString() };
  const audience = Array.from({ length: 40 }, (_, bucket) => ({
    bucket,
    share: bucket / 40,
    flags: Object.keys(flags),
  }));
  app.use((req, _res, next) => {
    req.flags = flags;
    req.audience = audience[req.url.length % audience.length];
    next();
  });
  return flags;
}

module.exports = { applyFlags };
