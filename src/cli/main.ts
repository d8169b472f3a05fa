/** The CLI's process: runs the command line and ends with its exit code. */
import { runCli } from './cli.ts';
import { processContext } from './context.ts';

// `drover apply | grep -q shop`: the reader has seen enough, which is no error of ours, and no success either. The command
// goes on to its own end, without anybody to read what it says.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

// Not awaited: the bundle is CommonJS (docs/decisions/cli-bundle.md), which has no `await` at its top.
void runCli(process.argv.slice(2), processContext()).then((code) => {
  process.exitCode = code;
});
