/**
 * What the system says of a process that says nothing of itself: how budgets of programs without an agent are compared. Of the
 * process alone, as `ls` shows it, not of its children.
 */
import type { BudgetValues } from '../core/index.ts';
import { readUsage, type ProcessUsage } from '../os/index.ts';

const MB = 1024 * 1024;

export class UsageMeter {
  readonly #read: (pid: number) => ProcessUsage | null;
  #before: { readonly cpuMs: number; readonly at: number } | null = null;

  constructor(read: (pid: number) => ProcessUsage | null = readUsage) {
    this.#read = read;
  }

  /** Memory now, and processor time since the last call; null when the process is gone. */
  values(pid: number, at: number): BudgetValues | null {
    const usage = this.#read(pid);
    const before = this.#before;
    this.#before = usage === null ? null : { cpuMs: usage.cpuMs, at };
    if (usage === null) return null;
    const sinceMs = before === null ? 0 : at - before.at;
    return {
      rssMB: usage.rssBytes / MB,
      cpuPercent: before === null || sinceMs <= 0 ? null : ((usage.cpuMs - before.cpuMs) / sinceMs) * 100,
    };
  }
}
