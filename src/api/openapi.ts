/** `/v1/openapi.json`: the route table and its schemas as an OpenAPI 3.1 document. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { DOCUMENT_SCHEMAS, ErrorSchema } from './document-schemas.ts';
import { KEY_HEADER, LONGEST_KEY } from './request-key.ts';
import { type Answer, type Route, takesKey } from './route.ts';
import { ROUTES } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

const describe = (schema: v.GenericSchema): Json => {
  const { $schema: _, ...plain } = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
  return plain;
};

/** The document; made anew at each call, for it is rarely asked for. */
export const makeOpenApi = (): Json => {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of ROUTES) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = describeRoute(route);
  }
  const schemas = Object.entries(DOCUMENT_SCHEMAS).map(([name, schema]) => [name, describe(schema)]);
  return {
    openapi: '3.1.0',
    info: { title: 'Drover', version: 'v1', description: 'HTTP and JSON on the Unix socket `drover.sock`.' },
    paths,
    components: { schemas: { ...(Object.fromEntries(schemas) as Json), Error: describe(ErrorSchema) } },
  };
};

const describeRoute = (route: Route): Json => {
  const { summary, query, body, answer } = route;
  const isKeyed = takesKey(route);
  return {
    summary,
    parameters: [...describeParams(route), ...describeQuery(query), ...(isKeyed ? [KEY_PARAMETER] : [])],
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: describe(body) } } } }),
    responses: {
      200: { description: describeAnswer(answer), content: describeContent(answer) },
      ...(isKeyed ? { 422: describeError('The key belongs to another request (DROVER_KEY_REUSED).') } : {}),
      default: describeError('An error from the catalogue.'),
    },
  };
};

const KEY_PARAMETER: Json = {
  name: KEY_HEADER,
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: LONGEST_KEY },
  description:
    'Made by the client, another one for each request (draft-ietf-httpapi-idempotency-key-header; with or without ' +
    'quotes). A request that was cut may be sent again with its key: what it began is answered and not begun twice, ' +
    'also by a daemon that took the place of the one that was asked. A key is remembered as long as its operations are ' +
    'on record: while they run, and then as one of the newest 1,000. An error is not remembered.',
};

const describeError = (description: string): Json => ({
  description,
  content: { 'application/json': { schema: reference('Error') } },
});

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

const describeParams = ({ path, takesTarget }: Route): Json[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
    ...(name === 'app' && takesTarget ? { description: 'An app, a worker as `app%2Fslot`, or `all`.' } : {}),
  }));

const describeQuery = (query: v.GenericSchema): Json[] => {
  const { properties = {}, required = [] } = describe(query) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name) && (schema as Json)['default'] === undefined,
    schema,
  }));
};

const describeAnswer = (answer: Answer): string => {
  if (answer.kind === 'text') return 'Text.';
  return answer.kind === 'stream'
    ? 'A stream: one document an event; `event: end` at its end, `event: error` with an Error when it fails.'
    : `A document: ${answer.document}.`;
};

const describeContent = (answer: Answer): Json => {
  if (answer.kind === 'text') return { 'text/plain': { schema: { type: 'string' } } };
  const type = answer.kind === 'stream' ? 'text/event-stream' : 'application/json';
  return { [type]: { schema: reference(answer.document) } };
};
