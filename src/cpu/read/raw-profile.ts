/** What a reader hands on: the profile, but for what is known only when functions have been looked up in source maps. */
import type { FunctionTable } from '../model/function-table.ts';
import type { WithoutFile } from '../model/categorize.ts';
import type { CpuProfile } from '../model/profile.ts';

export interface RawProfile extends Omit<CpuProfile, 'functions'> {
  readonly functions: FunctionTable;
  readonly withoutFile: WithoutFile;
}

/** Longer than any recording, about 31 years; what is beyond is no time. */
export const MAX_US = 1e15;
