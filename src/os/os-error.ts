/** What a refused system call looks like: the call, and the error by number and by name. */
import { getSystemErrorMap } from 'node:util';

export class OsError extends Error {
  override readonly name = 'OsError';
  readonly syscall: string;
  /** `EADDRINUSE`, or `E<number>` where this system has no name for it. */
  readonly code: string;
  readonly errno: number;

  constructor(syscall: string, errno: number, detail?: string) {
    const [code, words] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
    super(`${syscall}: ${words} (${code})${detail === undefined ? '' : `, ${detail}`}`);
    this.syscall = syscall;
    this.code = code;
    this.errno = errno;
  }
}

/** True for an {@link OsError} with one of these codes. */
export function isOsError(error: unknown, ...codes: readonly string[]): error is OsError {
  return error instanceof OsError && (codes.length === 0 || codes.includes(error.code));
}
