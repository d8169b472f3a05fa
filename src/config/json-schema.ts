/** The JSON Schema of the configuration file, made from the schema that validates it. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { ConfigSchema } from './schema.ts';

/** For editors: `{ "$schema": "./drover.schema.json" }` in `drover.config.json`. */
export const makeJsonSchema = (): Readonly<Record<string, unknown>> => ({
  ...toJsonSchema(ConfigSchema, { typeMode: 'input', errorMode: 'ignore' }),
  title: 'Drover configuration',
});
