/** Descriptors that a variable of the environment names, as a guard hands them on. */
import { findNamed } from '../os/index.ts';
import type { DescriptorName } from '../protocol/index.ts';

/** Takes a variable that names a descriptor out of the environment; null where there is none, or not what it says. */
export const takeNamed = (env: NodeJS.ProcessEnv, variable: string): number | null => {
  const name = env[variable] as DescriptorName | undefined;
  delete env[variable];
  return name === undefined ? null : findNamed(name);
};
