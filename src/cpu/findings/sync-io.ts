/**
 * Files and programs that the loop waits for. From 5 % of its busy time on: one synchronous read of a small file, which is
 * in the page cache, costs 15 to 30 µs, so that less than that is seldom worth a change. Reads at the start are none.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { describeParts, type Sight, type Site } from './sight.ts';

const LEAST_SHARE = 0.05;

export const syncIo: Rule = {
  id: 'sync-io',
  find: (sight) => sight.pick(sight.collectKind('io'), LEAST_SHARE).map((picked) => describe(sight, picked)),
};

function describe(sight: Sight, { site, rest }: { readonly site: Site; readonly rest: readonly Site[] }): Finding {
  const us = site.us + rest.reduce((sum, one) => sum + one.us, 0);
  const share = sight.share(us);
  const [call = 'a synchronous call'] = [...site.by].sort(([, a], [, b]) => b - a)[0] ?? [];
  const where = sight.place(site.owner, null, new RegExp(`\\b${call}\\b`));
  const runs = sight.runsOf(site.nodes);
  return {
    id: 'sync-io',
    title: `${nameOf(where)} waits for ${isProgram(call) ? 'a program' : 'the disk'} on the event loop (${call})`,
    severity: severityOf(share),
    share,
    where,
    evidence: [
      `${describeParts(site.by)}: ${percent(sight.share(site.us))} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples), called from ${nameOf(where)}`,
      ...sight.quote(where),
      ...(runs.count === 0 ? [] : [`nothing else ran for ${milliseconds(runs.longestUs)} at the longest`]),
      ...rest.slice(0, 4).map((one) => `also ${nameOf(sight.place(one.owner))}: ${percent(sight.share(one.us))}`),
    ],
    remedy: isProgram(call) ? PROGRAM : FILE,
    expectedGain: {
      from: share * 0.3,
      to: share,
      basis:
        'all of it where the result can be kept; with the asynchronous form the loop still pays for the call itself',
    },
  };
}

const isProgram = (call: string): boolean => /^(?:exec|execFile|spawn)Sync$/.test(call);

const FILE = {
  text: 'Read what does not change once, when the program starts, and keep it; use node:fs/promises for the rest, so that other requests are served while the disk answers.',
  code: [
    "const template = await readFile(path, 'utf8'); // once, at the start",
    '// or, where it must be read each time:',
    'async function handle(request, response) {',
    "  const text = await readFile(path, 'utf8'); // node:fs/promises",
    '}',
  ].join('\n'),
};

const PROGRAM = {
  text: 'Run the program once and keep what it said, or run it without waiting; a request that starts a program also needs a limit on how many run at a time.',
  code: [
    "import { execFile } from 'node:child_process';",
    "import { promisify } from 'node:util';",
    'const run = promisify(execFile);',
    "const { stdout } = await run('uname', ['-r']);",
  ].join('\n'),
};
