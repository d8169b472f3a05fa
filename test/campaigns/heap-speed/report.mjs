/** What the work of this process took: time since `start`, CPU time of all its threads, and the most memory it ever had. */
import { readFileSync } from 'node:fs';

export const start = performance.now();

export function report(nodes) {
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage();
  const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  process.stdout.write(
    `${JSON.stringify({ wallMs, cpuMs: (user + system) / 1000, peakBytes: peakKb * 1024, nodes })}\n`,
  );
}
