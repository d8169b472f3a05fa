import { setTimeout as delay } from 'node:timers/promises';

const reports = { sent: 0 };

class ExportJob {
  constructor(id) {
    this.id = id;
    this.rows = Array.from({ length: 20 }, (_, row) => ({ row, amount: row * 1.5, label: `row ${row} of ${id}` }));
    this.done = 0;
  }

  async run() {
    for (const row of this.rows) {
      this.done += 1;
      if (row.row % 10 === 9) await delay(0);
    }
    return this.rows.length;
  }
}

function reportProgress(job) {
  reports.sent += 1;
  reports.last = `${job.id}: ${job.done}/${job.rows.length}`;
}

export async function startExport(number) {
  const job = new ExportJob(`export-${number}`);
  job.ticker = setInterval(() => reportProgress(job), 30_000);
  job.ticker.unref();
  const count = await job.run();
  reportProgress(job);
  return { id: job.id, count };
}
