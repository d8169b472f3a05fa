/**
 * What the daemon left in the environment for this process: read once, and taken away before the app can see it or
 * hand it on to its children.
 */
import { fstatSync } from 'node:fs';
import { BOOT_VARIABLE, type AgentBoot, type DescriptorName } from '../protocol/agent.ts';

export function readBoot(env: NodeJS.ProcessEnv): AgentBoot | null {
  const text = env[BOOT_VARIABLE];
  if (text === undefined) return null;
  try {
    const boot = JSON.parse(text) as AgentBoot;
    return boot.v === 1 ? boot : null;
  } catch {
    return null;
  }
}

export function forgetBoot(env: NodeJS.ProcessEnv): void {
  Reflect.deleteProperty(env, BOOT_VARIABLE);
}

/** The descriptor's number, when it still is what the daemon meant. Behind a wrapper it may be anything. */
export function verifyDescriptor(name: DescriptorName | null): number | null {
  if (name === null) return null;
  const [fd, inode] = name.split(':').map(Number);
  if (fd === undefined || inode === undefined || !(fd >= 3) || !(inode > 0)) return null;
  return inodeOf(fd) === inode ? fd : null;
}

/** -1 for a descriptor that is not open. */
export function inodeOf(fd: number): number {
  try {
    return fstatSync(fd).ino;
  } catch {
    return -1;
  }
}

/** Removes `--require <agent>` from what the app's own children would inherit: they are not workers. */
export function hidePreload(execArgv: string[], env: NodeJS.ProcessEnv, agentFile: string): void {
  for (let at = execArgv.length - 1; at >= 0; at--) {
    const word = execArgv[at];
    if (word === `--require=${agentFile}`) execArgv.splice(at, 1);
    else if ((word === '--require' || word === '-r') && execArgv[at + 1] === agentFile) execArgv.splice(at, 2);
  }
  const options = env['NODE_OPTIONS'];
  if (options === undefined || !options.includes(agentFile)) return;
  const rest = options
    .replace(new RegExp(`(?:--require[= ]|-r )"?${escapeRegExp(agentFile)}"?`, 'g'), '')
    .replace(/ {2,}/g, ' ')
    .trim();
  if (rest === '') Reflect.deleteProperty(env, 'NODE_OPTIONS');
  else env['NODE_OPTIONS'] = rest;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
