import { parse, validate } from 'graphql';

export class DocumentStore {
  #documents = new Map();
  #schema;

  constructor(schema) {
    this.#schema = schema;
  }

  get(text) {
    let document = this.#documents.get(text);
    if (document === undefined) {
      document = parse(text);
      const problems = validate(this.#schema, document);
      if (problems.length > 0) throw problems[0];
      this.#documents.set(text, document);
    }
    return document;
  }
}
