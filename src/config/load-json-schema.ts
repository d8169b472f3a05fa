/** The JSON Schema of the configuration; its generator loads only when somebody asks. */
export const loadJsonSchema = async (): Promise<Readonly<Record<string, unknown>>> =>
  (await import('./json-schema.ts')).makeJsonSchema();
