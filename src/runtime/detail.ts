/**
 * What metrics libraries tell of a Node process beyond what every report has (prom-client's default metrics,
 * OpenTelemetry's of the Node runtime). Read when metrics are collected, never in between. Where a figure cannot be had, as
 * outside Linux or when the app has taken every descriptor, it is null.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type * as V8 from 'node:v8';
import type { RuntimeDetail } from '../protocol/index.ts';
import type { LoopTimes } from './loop-time.ts';

type SystemDetail = Pick<RuntimeDetail, 'virtualBytes' | 'openDescriptors' | 'maxDescriptors'>;

/** All but what only the agent knows: the lag, collections of garbage, and its own cost. */
export function readDetail({ activeMs, idleMs }: LoopTimes): Omit<RuntimeDetail, 'lag' | 'gc' | 'agentCpuUs'> {
  const v8 = require('node:v8') as typeof V8;
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return {
    startedAtSeconds: Date.now() / 1000 - process.uptime(),
    ...readSystem(),
    heapSpaces: v8.getHeapSpaceStatistics().map((space) => ({
      name: space.space_name,
      sizeBytes: space.space_size,
      usedBytes: space.space_used_size,
      availableBytes: space.space_available_size,
      physicalBytes: space.physical_space_size,
    })),
    heapLimitBytes: v8.getHeapStatistics().heap_size_limit,
    loopActiveSeconds: activeMs / 1000,
    loopIdleSeconds: idleMs / 1000,
    resources,
  };
}

function readSystem(): SystemDetail {
  const virtualKb = /^VmSize:\s+(\d+) kB/m.exec(readProc('status'))?.[1];
  const most = /^Max open files\s+(\d+)/m.exec(readProc('limits'))?.[1];
  return {
    virtualBytes: virtualKb === undefined ? null : Number(virtualKb) * 1024,
    openDescriptors: countDescriptors(),
    maxDescriptors: most === undefined ? null : Number(most),
  };
}

function countDescriptors(): number | null {
  try {
    // One of them is the folder that is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

/** Empty where there is no such file, or no descriptor left to read it by. */
function readProc(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8');
  } catch {
    return '';
  }
}
