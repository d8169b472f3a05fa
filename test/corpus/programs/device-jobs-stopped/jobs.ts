import { SimpleIntervalJob, Task, ToadScheduler } from 'toad-scheduler';

const scheduler = new ToadScheduler();
const connected: string[] = [];
let polls = 0;

function poll(device: string): SimpleIntervalJob {
  const task = new Task(device, () => {
    polls += 1;
  });
  return new SimpleIntervalJob({ seconds: 30 }, task, { id: device });
}

/** Twenty devices at a time can be connected; the one that is longest in is sent away. */
export async function connect(number: number): Promise<{ jobs: number; polls: number }> {
  const device = `device-${number}`;
  scheduler.addSimpleIntervalJob(poll(device));
  connected.push(device);
  if (connected.length > 20) scheduler.removeById(connected.shift() as string);
  return { jobs: connected.length, polls };
}
