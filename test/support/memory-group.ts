/** A control group of this machine's own kind whose memory can be limited, as a container or a unit with `MemoryMax=` has it. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export class MemoryGroup implements AsyncDisposable {
  readonly folder: string;
  readonly #limitFile: string;

  /** Null where this process may make none. */
  static open(name: string): MemoryGroup | null {
    for (const [root, limitFile] of [
      ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
      ['/sys/fs/cgroup', 'memory.max'],
    ] as const) {
      try {
        mkdirSync(join(root, name));
      } catch {
        continue;
      }
      if (existsSync(join(root, name, limitFile))) return new MemoryGroup(join(root, name), limitFile);
      rmdirSync(join(root, name));
    }
    return null;
  }

  private constructor(folder: string, limitFile: string) {
    this.folder = folder;
    this.#limitFile = limitFile;
  }

  limit(bytes: number): void {
    writeFileSync(join(this.folder, this.#limitFile), String(bytes));
  }

  enter(pid: number): void {
    writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
  }

  get kills(): number {
    const isSecond = this.#limitFile === 'memory.max';
    const counts = readFileSync(join(this.folder, isSecond ? 'memory.events' : 'memory.oom_control'), 'utf8');
    return Number(/^oom_kill (\d+)/m.exec(counts)?.[1]);
  }

  /** Once those that were in it are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await eventually('the control group is empty', () => {
      try {
        rmdirSync(this.folder);
        return true;
      } catch {
        return false;
      }
    });
  }
}

const probe = MemoryGroup.open(`drover-probe-${process.pid}`);
await probe?.[Symbol.asyncDispose]();

/** Why a test that needs one is skipped; false: it is not. */
export const skipsMemoryGroup: string | false = probe === null ? 'no control groups of our own' : false;
