/** The CLI's process: runs the command line and ends with its exit code. */
import { runCli } from './cli.ts';
import { processContext } from './context.ts';

// `drover logs | head`: the reader has seen enough, which is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Not awaited: the bundle is CommonJS (docs/decisions/cli-bundle.md), which has no `await` at its top.
void runCli(process.argv.slice(2), processContext()).then((code) => {
  process.exitCode = code;
});
