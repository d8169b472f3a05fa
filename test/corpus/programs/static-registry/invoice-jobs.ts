import { Job } from './job.ts';

export async function runInvoiceJob(number: number): Promise<string> {
  const job = new Job(`invoice-${number}`);
  await job.run(async (step) => {
    step('collect');
    step('render');
    if (number % 9 === 0) throw new Error('no address');
    step('send');
  });
  return job.state;
}
