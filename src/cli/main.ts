/** The CLI's process: runs the command line and ends with its exit code. */
import { runCli } from './cli.ts';
import { processContext } from './context.ts';

// `drover logs | head`: the reader has seen enough, which is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), processContext());
