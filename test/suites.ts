/**
 * The table of suites that `npm test` runs, in this order as far as two of them fit beside each other: cheap ones first, so that a
 * plain mistake is seen early, then the long ones, beside which the others find room.
 * A suite without files is a failure.
 */

export interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  /** `none` runs all files in one process: for pure tests, which must not touch globals, environment or cwd. */
  readonly isolation: 'none' | 'process';
  /** How many files at a time. Two where they mostly wait for processes; they have homes and ports of their own. */
  readonly concurrency: number;
  /** Of the two that there are (`run.ts`): as many as files at a time, or both where a suite wants the machine for itself. */
  readonly lanes: number;
  /** Bound for one test; a test that hangs is a failure, not a stuck run. */
  readonly testTimeoutMs: number;
  /** Programs beyond Node and npm, and the Debian package each comes from. */
  readonly needs: readonly { readonly command: string; readonly debian: string }[];
  /** Folders with a package of their own, installed with `npm ci` before the suite. */
  readonly packages: readonly string[];
}

const suite = (name: string, files: readonly string[], rest: Partial<Omit<Suite, 'name' | 'files'>> = {}): Suite => ({
  name,
  files,
  isolation: 'process',
  concurrency: 1,
  lanes: rest.concurrency ?? 1,
  testTimeoutMs: 60_000,
  needs: [],
  packages: [],
  ...rest,
});

const folder = (name: string, rest: Partial<Omit<Suite, 'name' | 'files'>> = {}): Suite =>
  suite(name, [`test/${name}/**/*.test.ts`], rest);

export const SUITES: readonly Suite[] = [
  suite('unit', ['src/**/*.test.ts'], { isolation: 'none', testTimeoutMs: 30_000 }),
  folder('lint', { isolation: 'none' }),
  suite('support', ['test/support/**/*.test.ts']),
  folder('soak'),
  folder('simulation', { testTimeoutMs: 300_000 }),
  folder('agent', { packages: ['test/nodes', 'test/frameworks'] }),
  folder('programs', {
    testTimeoutMs: 300_000,
    needs: [{ command: 'python3', debian: 'python3-minimal' }],
    packages: ['test/programs'],
  }),
  folder('probes', { packages: ['test/nodes'] }),
  folder('api'),
  folder('cli'),
  folder('screens', { needs: [{ command: 'script', debian: 'bsdutils' }], packages: ['test/screens'] }),
  folder('browser', { testTimeoutMs: 120_000, needs: [{ command: 'chromium', debian: 'chromium' }] }),
  folder('heap', { testTimeoutMs: 120_000, packages: ['test/nodes'] }),
  folder('process', { concurrency: 2, testTimeoutMs: 120_000 }),
  folder('boot', {
    concurrency: 2,
    testTimeoutMs: 120_000,
    needs: [{ command: 'systemd-analyze', debian: 'systemd' }],
  }),
  folder('upgrade', { concurrency: 2, testTimeoutMs: 180_000 }),
  folder('alerts', {
    concurrency: 2,
    testTimeoutMs: 120_000,
    needs: [{ command: 'prometheus-alertmanager', debian: 'prometheus-alertmanager' }],
  }),
  folder('health', { concurrency: 2, testTimeoutMs: 120_000 }),
  folder('faults', { concurrency: 2, testTimeoutMs: 120_000 }),
  folder('corpus', { testTimeoutMs: 120_000, packages: ['test/corpus'] }),
  folder('app', { packages: ['test/nodes', 'test/app/servers'] }),
  folder('testing', { testTimeoutMs: 240_000, packages: ['test/testing/runners'] }),
  folder('packaged', { testTimeoutMs: 300_000, packages: ['test/nodes'] }),
  folder('campaigns', { testTimeoutMs: 180_000 }),
  folder('cases', { testTimeoutMs: 120_000, needs: [{ command: 'chromium', debian: 'chromium' }] }),
  folder('findings', { testTimeoutMs: 120_000 }),
  folder('examples', { testTimeoutMs: 120_000 }),
  folder('oracle', { testTimeoutMs: 180_000, packages: ['test/nodes', 'test/oracle'] }),
  // What is asked of a worker there has a second to come back, as in earnest.
  folder('metrics', {
    lanes: 2,
    testTimeoutMs: 120_000,
    needs: [
      { command: 'promtool', debian: 'prometheus' },
      { command: 'prometheus', debian: 'prometheus' },
    ],
    packages: ['test/metrics/proto', 'test/app/servers'],
  }),
  folder('otel', {
    concurrency: 2,
    testTimeoutMs: 120_000,
    packages: ['test/nodes', 'test/metrics/proto', 'test/otel', 'test/otel/node20'],
  }),
  folder('formats', {
    testTimeoutMs: 120_000,
    needs: [{ command: 'go', debian: 'golang-go' }],
    packages: ['test/formats'],
  }),
  folder('hostile', { packages: ['test/nodes'], testTimeoutMs: 180_000 }),
];
