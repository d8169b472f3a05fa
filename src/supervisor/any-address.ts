/** Which "any" address a server without a host gets: Node tries dual-stack `::` first. */
import { readFileSync } from 'node:fs';

export const anyAddress = (v6only: boolean): { kind: 'tcp'; host: string; v6only: boolean } =>
  hasIpv6() ? { kind: 'tcp', host: '::', v6only } : { kind: 'tcp', host: '0.0.0.0', v6only: false };

let answer: boolean | null = null;

const hasIpv6 = (): boolean => {
  answer ??= process.platform !== 'linux' || hasIpv6Interface();
  return answer;
};

const hasIpv6Interface = (): boolean => {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8').trim() !== '';
  } catch {
    // The kernel has no IPv6.
    return false;
  }
};
