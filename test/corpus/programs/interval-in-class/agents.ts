import { Heartbeat } from './heartbeat.ts';

export async function runAgent(n: number): Promise<number> {
  const heartbeat = new Heartbeat(`agent-${n}`);
  heartbeat.work();
  heartbeat.dispose();
  return heartbeat.labels.length;
}
