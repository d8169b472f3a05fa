/**
 * Whether the agent may use the inspector of this process: not where a person's debugger, `--inspect`, `--cpu-prof` or
 * their like may want it, nor where the permission model forbids it.
 */

/** Flags of Node and V8 that have the profiler or a debugger used by somebody else. */
const TAKEN = /(?:^|\s|")--(?:inspect|cpu-prof|heap-prof|prof\b|perf-)/;

interface Permission {
  readonly has: (scope: string) => boolean;
}

export function mayUseInspector(): boolean {
  const { permission, execArgv, env } = process as typeof process & { readonly permission?: Permission };
  if (permission !== undefined && !allowsInspector(permission)) return false;
  return !TAKEN.test([...execArgv, env['NODE_OPTIONS'] ?? ''].join(' '));
}

/** Node 20 and 22 forbid the inspector altogether under the permission model, and do not know the scope. */
function allowsInspector(permission: Permission): boolean {
  try {
    return permission.has('inspector');
  } catch {
    return false;
  }
}
