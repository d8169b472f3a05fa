/** Whether this version understands an app's configuration that another one recorded. */
import * as v from 'valibot';
import { AppConfigSchema } from './schemas.ts';

/** In words; null: nothing is wrong. Settings that the other version did not have are not missed. */
export const findConfigProblem = (config: unknown): string | null => {
  const result = v.safeParse(AppConfigSchema, config);
  const issues = result.success ? [] : result.issues.filter(({ input }) => input !== undefined);
  const [first] = issues;
  return first === undefined ? null : `${v.getDotPath(first) ?? 'it'}: ${first.message}`;
};
