module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/jest/*.test.js'],
  haste: { enableSymlinks: false },
  watchman: false,
};
