/** What a guard hands on: a daemon's list of descriptors, however long it is. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary.ts';

const room = (name: string): string => JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'daemon', name));
/** More than a variable of the environment may hold (128 KB). */
const COUNT = 1500;
const LONG = 'x'.repeat(150);

const asModule = (source: string): string[] => [
  '--disable-warning=ExperimentalWarning',
  '--input-type=module',
  '-e',
  source,
];

describe('a guard', () => {
  it('hands every descriptor to the next daemon, also when the list is longer than a variable may be', async () => {
    await using folder = await temporaryFolder();
    const answer = join(folder.path, 'answer');
    const next = `
      import { writeFileSync } from 'node:fs';
      import { takeInheritance } from ${room('inheritance.ts')};
      import { takeStandby } from ${room('standby.ts')};
      takeStandby(process.env)();
      const { all, isRecovery } = takeInheritance(process.env);
      writeFileSync(${JSON.stringify(answer)}, JSON.stringify({ count: all.length, isRecovery, last: all.at(-1)?.name }));`;
    const daemon = `
      import { openSync } from 'node:fs';
      import { openGuard } from ${room('guard.ts')};
      import { openSuccession } from ${room('succession.ts')};
      const fd = openSync('/dev/null', 'r');
      const list = () => Array.from({ length: ${COUNT} }, (_, at) => ({ name: 'shard:' + at + '${LONG}', fd }));
      const command = ${JSON.stringify([process.execPath, ...asModule(next)])};
      const succession = openSuccession();
      const guard = openGuard({ command, env: process.env, list, hasServed: () => true, deaths: 0, succession });
      process.stdout.write(String(guard.pid));
      process.stdin.once('data', () => process.kill(process.pid, 'SIGKILL'));`;
    const child = spawn(process.execPath, asModule(daemon), { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdin.write('die\n');
    // Half of it may be written yet.
    const told = await eventually('the next daemon has what was kept', () => JSON.parse(readFileSync(answer, 'utf8')));
    assert.deepEqual(told, { count: COUNT, isRecovery: true, last: `shard:${COUNT - 1}${LONG}` });
  });

  /** A daemon dies while one of its guards has not been told yet that another one has replaced it. */
  const dieWithTwo = async (before: string): Promise<string> => {
    await using folder = await temporaryFolder();
    const said = join(folder.path, 'said');
    writeFileSync(said, '');
    const next = `
      import { appendFileSync } from 'node:fs';
      import { takeStandby } from ${room('standby.ts')};
      takeStandby(process.env)();
      appendFileSync(${JSON.stringify(said)}, 'came');`;
    const daemon = `
      import { openGuard } from ${room('guard.ts')};
      import { openSuccession } from ${room('succession.ts')};
      const command = ${JSON.stringify([process.execPath, ...asModule(next)])};
      const options = { command, env: process.env, list: () => [], hasServed: () => true, deaths: 0, succession: openSuccession() };
      const replaced = openGuard(options);
      const guard = openGuard(options);
      process.stdout.write([replaced.pid, guard.pid].join(' '));
      process.stdin.once('data', async () => {
        ${before}
        process.kill(process.pid, 'SIGKILL');
      });`;
    const child = spawn(process.execPath, asModule(daemon), { stdio: ['pipe', 'pipe', 'inherit'] });
    const [pids] = (await once(child.stdout, 'data')) as [Buffer];
    const guards = String(pids).split(' ').map(Number);
    child.stdin.write('die\n');
    await eventually('both have ended, or what they became has', () => guards.every((pid) => !isAlive(pid)));
    return readFileSync(said, 'utf8');
  };

  it('comes next alone, where two of them wait', async () => {
    assert.equal(await dieWithTwo(''), 'came');
  });

  it('does not come next once the daemon was to end, though it waits', async () => {
    assert.equal(await dieWithTwo("await guard.dismiss('stopped');"), '');
  });
});
