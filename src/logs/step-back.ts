/**
 * Puts this process behind all others of the machine. Niceness alone does not: where Linux divides the cores among
 * sessions first (autogroup, which holds outside of cgroups that have a share of their own), it only counts within one
 * session, and every worker has its own. Measured, against a busy process of another session on the same core: a nice
 * one had half of it, one whose session was nice had a ninth. For processes that have a session to themselves.
 */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** `niceness`: 0 to 19. */
export function stepBack(niceness: number): void {
  setPriority(niceness);
  try {
    writeFileSync('/proc/self/autogroup', String(niceness));
  } catch {
    // No such thing here, or asked for too often (ten times a second, where one may not administer): niceness remains.
  }
}
