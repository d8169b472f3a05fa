import { AsyncTask, SimpleIntervalJob, ToadScheduler } from 'toad-scheduler';

interface Reading {
  readonly device: string;
  readonly celsius: number;
}

const scheduler = new ToadScheduler();

async function read(device: string): Promise<Reading> {
  await Promise.resolve();
  return { device, celsius: 15 + (device.length % 9) };
}

/** Looks at a device that was just switched on, and again each minute. */
export async function watchDevice(device: string): Promise<Reading> {
  const readings: Reading[] = [await read(device)];
  const task = new AsyncTask(`poll ${device}`, async () => {
    readings.push(await read(device));
    if (readings.length > 10) readings.shift();
  });
  scheduler.addSimpleIntervalJob(new SimpleIntervalJob({ minutes: 1 }, task));
  return readings[0] as Reading;
}
