import { z } from 'zod';

const FIELD_TYPES = {
  text: () => z.string().max(200),
  number: () => z.number(),
  yesNo: () => z.boolean(),
};

/** Users draw their forms themselves, so a form's schema is made when it is sent in. */
export function schemaOf({ id, revision, fields }) {
  const shape = Object.fromEntries(fields.map(({ name, type }) => [name, FIELD_TYPES[type]()]));
  return z.object(shape).meta({ id: `${id}@${revision}`, title: `Form ${id}` });
}
