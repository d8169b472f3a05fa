const { statSync } = require('node:fs');

const RULES = require.resolve('./rules-table.js');

let rules = require(RULES);
let readAt = 0;

function rereadRules() {
  const { mtimeMs } = statSync(RULES);
  delete require.cache[RULES];
  rules = require(RULES);
  readAt = mtimeMs;
}

exports.reloadRules = async (number) => {
  rereadRules();
  return { readAt, discount: rules.discountFor('gold', number % 1500) };
};
