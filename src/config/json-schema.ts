/** The JSON Schema of the configuration file, made from the schema that validates it. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { DAEMON_DESCRIPTIONS, DESCRIPTIONS } from './descriptions.ts';
import { ConfigSchema } from './schema.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly [key: string]: unknown;
}

/** For editors: `{ "$schema": "./drover.schema.json" }` in `drover.config.json`. */
export const makeJsonSchema = (): Schema => {
  const schema = toJsonSchema(ConfigSchema, { typeMode: 'input', errorMode: 'ignore' }) as Schema;
  const { apps, daemon } = schema.properties ?? {};
  const properties = {
    ...schema.properties,
    daemon: describe(daemon as Schema, '', DAEMON_DESCRIPTIONS),
    apps: { ...apps, additionalProperties: describe(apps?.additionalProperties as Schema, '', DESCRIPTIONS) },
  };
  return { ...schema, title: 'Drover configuration', properties };
};

const describe = (schema: Schema, path: string, descriptions: typeof DESCRIPTIONS): Schema => {
  const { properties } = schema;
  if (properties === undefined) return schema;
  const entries = Object.entries(properties).map(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`;
    return [key, { description: descriptions[at], ...describe(value, at, descriptions) }] as const;
  });
  return { ...schema, properties: Object.fromEntries(entries) };
};
