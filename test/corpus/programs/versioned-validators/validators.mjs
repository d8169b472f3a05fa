import { z } from 'zod';

const validators = new Map();

/** Clients of twelve versions are still out there. */
export function validatorFor(version) {
  let validator = validators.get(version);
  if (validator === undefined) {
    const optional = version < 6 ? z.string().optional() : z.string().min(1);
    validator = z.object({ name: z.string(), city: optional, version: z.literal(version), tags: z.array(z.string()) });
    validators.set(version, validator);
  }
  return validator;
}
