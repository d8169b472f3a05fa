const Handlebars = require('handlebars');

const letter = Handlebars.compile('Dear {{name}},\n{{> (lookup . "body")}}\nYours, the library');

/** Librarians write the body themselves, so it is a template too. */
exports.writeLetter = function writeLetter(id, name, body, values) {
  const partial = `letter-${id}`;
  Handlebars.registerPartial(partial, body);
  return letter({ name, body: partial, ...values });
};
