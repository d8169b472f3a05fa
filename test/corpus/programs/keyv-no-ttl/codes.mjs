import { createHash } from 'node:crypto';
import { codes } from './code-store.mjs';

const codeFor = (email) => createHash('sha256').update(email).digest('hex').slice(0, 8);

async function issueCode(email) {
  const code = codeFor(email);
  await codes.set(`${email}:${code}`, { email, purpose: 'sign-up', issuedAt: Date.now(), tries: 0, locale: 'en-GB' });
  return code;
}

async function redeem(email, code) {
  const found = await codes.get(`${email}:${code}`);
  if (found === undefined) return false;
  await codes.delete(`${email}:${code}`);
  return true;
}

export async function signUp(number) {
  const email = `person.${number}@mail.example`;
  const code = await issueCode(email);
  if (number % 5 === 0) return redeem(email, code);
  return false;
}
