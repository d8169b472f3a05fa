/**
 * A guard that becomes the next daemon is none any more, and a Node takes a while until it has one of its own: killed in
 * that time, it would be the last. So the shell leaves a copy of itself behind (`guard.sh`), which waits at a pipe as the
 * guard did; the new daemon has the other end, and sends it away once its own guard stands.
 */
import { setCloexec } from '../os/index.ts';
import { sendAway, STANDBY_VARIABLE } from './guard.ts';
import { takeNamed } from './take-named.ts';

/** Takes the variable out of the environment. What is returned sends the standby away; it is nothing without one. */
export const takeStandby = (env: NodeJS.ProcessEnv): (() => void) => {
  const pipe = takeNamed(env, STANDBY_VARIABLE);
  if (pipe === null) return () => {};
  // Held by a worker as well, it would never tell the standby that this daemon is gone.
  setCloexec(pipe, true);
  return () => sendAway(pipe);
};
