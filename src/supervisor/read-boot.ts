/** What a worker was told at its start: it carries that in its environment for as long as it lives. */
import { readVariable } from '../os/index.ts';
import { BOOT_VARIABLE, type AgentBoot } from '../protocol/index.ts';

/**
 * Null for everybody else's processes, and for workers of a Drover that did not tell them their generation. Anybody can
 * start a process with such a variable: nothing in it may be believed of a process that is not known otherwise.
 */
export const readBoot = (pid: number): AgentBoot | null => {
  try {
    const text = readVariable(pid, BOOT_VARIABLE);
    const boot = text === null ? null : (JSON.parse(text) as Partial<AgentBoot>);
    const isWhole =
      Number.isSafeInteger(boot?.generation) &&
      [boot?.app, boot?.worker, boot?.spawn, boot?.socketPath].every((each) => typeof each === 'string');
    return isWhole ? (boot as AgentBoot) : null;
  } catch {
    return null;
  }
};
