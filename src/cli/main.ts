/** The CLI's process: runs the command line and ends with its exit code. */
import { runCli } from './cli.ts';
import { processContext } from './context.ts';

/** As for a report that cannot be written. Not 1: `heap diff` says "a leak" with that. */
const EXIT_UNWRITABLE = 2;
let isLost = false;

// `drover apply | grep -q shop`: the reader has seen enough, which is no error of ours, and no success either. The command
// goes on to its own end, without anybody to read what it says. A full disk under `> out.txt` is an error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || isLost) return;
    isLost = true;
    process.exitCode = EXIT_UNWRITABLE;
    if (stream === process.stdout) process.stderr.write(`drover: standard output cannot be written (${code}).\n`);
  });

// Not awaited: the bundle is CommonJS (docs/decisions/cli-bundle.md), which has no `await` at its top.
void runCli(process.argv.slice(2), processContext()).then((code) => {
  process.exitCode = isLost ? EXIT_UNWRITABLE : code;
});
