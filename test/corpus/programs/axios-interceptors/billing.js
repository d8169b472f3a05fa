const axios = require('axios');

const billing = axios.create({
  baseURL: 'http://billing.internal',
  adapter: async (config) => ({ data: { invoice: config.url }, status: 200, statusText: 'OK', headers: {}, config }),
});

/** The billing service wants to know on whose behalf it is asked. */
exports.clientFor = function clientFor(account, traceId) {
  billing.interceptors.request.use((config) => {
    config.headers.set('x-account', account.id);
    config.headers.set('x-trace', traceId);
    return config;
  });
  return billing;
};
