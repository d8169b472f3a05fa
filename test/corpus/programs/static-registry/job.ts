export type JobState = 'waiting' | 'running' | 'done' | 'failed';

export class Job {
  static readonly all = new Set<Job>();

  readonly id: string;
  readonly steps: { name: string; at: number }[] = [];
  state: JobState = 'waiting';

  constructor(id: string) {
    this.id = id;
    Job.all.add(this);
  }

  static count(state: JobState): number {
    let count = 0;
    for (const job of Job.all) if (job.state === state) count += 1;
    return count;
  }

  async run(work: (step: (name: string) => void) => Promise<void>): Promise<void> {
    this.state = 'running';
    try {
      await work((name) => this.steps.push({ name, at: Date.now() }));
      this.state = 'done';
    } catch {
      this.state = 'failed';
    }
  }
}
