const { default: Ajv } = require('ajv');

const ajv = new Ajv({ allErrors: true });

function schemaFor(kind) {
  const properties = { id: { type: 'integer', minimum: 0 }, kind: { const: kind }, note: { type: 'string' } };
  if (kind === 'transfer') properties.amount = { type: 'number', exclusiveMinimum: 0 };
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function validateMessage(message) {
  const validate = ajv.compile(schemaFor(message.kind));
  return validate(message) ? [] : validate.errors.map(({ instancePath, message: text }) => `${instancePath} ${text}`);
}

exports.acceptMessage = async (number) => {
  const kind = number % 2 === 0 ? 'transfer' : 'notice';
  const message = { id: number, kind, note: `message ${number}` };
  if (kind === 'transfer') message.amount = number % 7;
  return validateMessage(message).length;
};
