import { Bus } from './bus.ts';

const bus = new Bus();

export async function runJob(number: number): Promise<number> {
  return bus.scope(async (on) => {
    const progress: unknown[] = [];
    on('progress', (detail) => progress.push(detail));
    on('done', (detail) => progress.push(detail));
    for (let percent = 20; percent <= 100; percent += 20) bus.publish('progress', { job: number, percent });
    await Promise.resolve();
    bus.publish('done', { job: number });
    return progress.length;
  });
}
