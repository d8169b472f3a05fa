/** The JSON Schema of the configuration file, made from the schema that validates it. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { DESCRIPTIONS } from './descriptions.ts';
import { ConfigSchema } from './schema.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly [key: string]: unknown;
}

/** For editors: `{ "$schema": "./drover.schema.json" }` in `drover.config.json`. */
export const makeJsonSchema = (): Schema => {
  const schema = toJsonSchema(ConfigSchema, { typeMode: 'input', errorMode: 'ignore' }) as Schema;
  const { apps } = schema.properties ?? {};
  const described = { ...apps, additionalProperties: describe(apps?.additionalProperties as Schema, '') };
  return { ...schema, title: 'Drover configuration', properties: { ...schema.properties, apps: described } };
};

const describe = (schema: Schema, path: string): Schema => {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const entries = Object.entries(properties).map(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [key, { description: DESCRIPTIONS[at], ...describe(value, at) }] as const;
  });
  return { ...schema, properties: Object.fromEntries(entries) };
};
