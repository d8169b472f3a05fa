/** What a route is: what it takes, what it answers, and which call of the service does it. */
import type * as v from 'valibot';
import * as schemas from './schemas.ts';
import type { CallContext, DroverService } from './service.ts';

/** Names of the documents in `document-schemas.ts`. */
export type DocumentName =
  | 'AppList'
  | 'AppDetail'
  | 'Env'
  | 'Why'
  | 'Health'
  | 'Slo'
  | 'Alerts'
  | 'Silence'
  | 'AlertTests'
  | 'Daemon'
  | 'UpgradeStart'
  | 'Plan'
  | 'OperationList'
  | 'Operation'
  | 'Signal'
  | 'Flush'
  | 'LogLine'
  | 'Event'
  | 'Done';

export interface Input<Query, Body> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
}

export type Method = 'GET' | 'POST' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** With `:app` or `:id` for a segment. */
  readonly path: string;
  /** Its `:app` may also be one worker, or all apps: a `Target`. */
  readonly takesTarget: boolean;
  readonly summary: string;
  readonly query: v.GenericSchema;
  /** Null: a body is not read. */
  readonly body: v.GenericSchema | null;
  readonly answer: Answer;
}

/** Requests that begin operations may have a key, with which they are carried out once however often they are sent. */
export const takesKey = ({ method, answer }: Route): boolean =>
  method !== 'GET' && answer.kind === 'document' && answer.document === 'OperationList';

/** A text, and its media type. */
export interface TextAnswer {
  readonly type: string;
  readonly text: string;
}

type Call<Result> = (service: DroverService, input: Input<unknown, unknown>, context: CallContext) => Result;

export type Answer =
  | { readonly kind: 'document'; readonly document: DocumentName; readonly call: Call<Promise<unknown>> }
  | { readonly kind: 'stream'; readonly document: DocumentName; readonly call: Call<Promise<AsyncIterable<unknown>>> }
  | { readonly kind: 'text'; readonly call: Call<Promise<TextAnswer>> };

/** Ties the types of a route's schemas to those of its call, then forgets them for the table. */
export const route = <Query extends v.GenericSchema, Body extends v.GenericSchema>(
  method: Method,
  path: string,
  summary: string,
  takes: { readonly query?: Query; readonly body?: Body; readonly target?: boolean },
  answer: TypedAnswer<v.InferOutput<Query>, v.InferOutput<Body>>,
): Route => ({
  method,
  path,
  takesTarget: takes.target ?? false,
  summary,
  query: takes.query ?? schemas.NoQuery,
  body: takes.body ?? null,
  answer,
});

type TypedCall<Query, Body, Result> = (
  service: DroverService,
  input: Input<Query, Body>,
  context: CallContext,
) => Result;
type TypedAnswer<Query, Body> =
  | { kind: 'document'; document: DocumentName; call: TypedCall<Query, Body, Promise<unknown>> }
  | { kind: 'stream'; document: DocumentName; call: TypedCall<Query, Body, Promise<AsyncIterable<unknown>>> }
  | { kind: 'text'; call: TypedCall<Query, Body, Promise<TextAnswer>> };
