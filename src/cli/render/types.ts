/** The JSON Schema of the configuration as TypeScript, for editors in directories without the package. */

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

const renderType = (schema: Schema, indent: string): string => {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((one) => renderType(one, indent)))].join(' | ');
  if (schema.properties !== undefined) {
    const inner = `${indent}  `;
    const members = Object.entries(schema.properties).map(
      ([name, value]) => `${inner}${name}${schema.required?.includes(name) ? '' : '?'}: ${renderType(value, inner)};`,
    );
    return members.length === 0 ? '{}' : `{\n${members.join('\n')}\n${indent}}`;
  }
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `{ [name: string]: ${renderType(schema.additionalProperties, indent)} }`;
  if (schema.type === 'array') return `(${renderType(schema.items ?? {}, indent)})[]`;
  if (schema.type === 'integer') return 'number';
  return schema.type ?? 'unknown';
};

/** `drover.d.ts`. */
export const renderTypes = (
  schema: Schema,
): string => `// Written by \`drover init\`: types of drover.config.ts for the editor.
declare module 'drover' {
  export type DroverConfig = ${renderType(schema, '  ')};
  export function defineConfig(config: DroverConfig): DroverConfig;
}
`;
