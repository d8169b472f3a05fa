/**
 * Starts one worker process: command line, descriptors, environment. Decides nothing and remembers nothing.
 *
 * Descriptors of the child: 0 is /dev/null, 1 and 2 the log files, 3 its end of the channel, 4 a copy of the daemon's
 * end (kept open by the worker so that the daemon's death stays silent), from 5 on a public and a private listening
 * socket for each port that the slot already serves.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { nameOf } from '../os/index.ts';
import {
  BOOT_VARIABLE,
  DroverError,
  SPAWN_VARIABLE,
  type AgentBoot,
  type AppConfig,
  type BootShard,
  type DescriptorName,
  type ListenAddress,
} from '../protocol/index.ts';

/** What a configuration comes to at this moment: links followed, versions looked up. */
export interface ResolvedCommand {
  readonly argv: readonly [string, ...string[]];
  /** Where in `argv` the agent's `--require` goes; null for programs that are not Node. */
  readonly agentAt: number | null;
  /** Version of the Node that will run, null for other programs. */
  readonly nodeVersion: string | null;
}

export interface LaunchShard {
  readonly key: string;
  readonly address: ListenAddress;
  readonly randomIndex: number | null;
  readonly fd: number;
  readonly privateFd: number | null;
}

export interface LaunchRequest {
  readonly config: AppConfig;
  readonly command: ResolvedCommand;
  readonly worker: string;
  readonly spawnId: string;
  readonly generation: number;
  readonly env: Readonly<Record<string, string>>;
  readonly stdoutFd: number;
  readonly stderrFd: number;
  readonly channel: { readonly daemonFd: number; readonly workerFd: number } | null;
  readonly shards: readonly LaunchShard[];
  readonly agentPath: string;
  /** Whether the worker holds the daemon's end of its channel open, so that it does not hear of its death. */
  readonly keepsPeer: boolean;
  readonly socketPath: string;
  readonly acceptAtOnce: boolean;
  readonly reportEveryMs: number;
  readonly identity: { readonly uid: number; readonly gid: number } | null;
}

const FIRST_FREE_FD = 3;

export const launch = (request: LaunchRequest): ChildProcess => {
  const { command, config } = request;
  const isDirect = command.agentAt !== null;
  const passed: number[] = [];
  const pass = (fd: number): DescriptorName => nameOf(fd, FIRST_FREE_FD + passed.push(fd) - 1);

  const channel = isDirect && request.channel !== null ? request.channel : null;
  const boot: AgentBoot = {
    v: 1,
    app: config.name,
    worker: request.worker,
    spawn: request.spawnId,
    generation: request.generation,
    channel: channel === null ? null : pass(channel.workerFd),
    peer: channel === null || !request.keepsPeer ? null : pass(channel.daemonFd),
    socketPath: request.socketPath,
    shards:
      channel === null
        ? []
        : request.shards.map((shard): BootShard => ({
            key: shard.key,
            address: shard.address,
            randomIndex: shard.randomIndex,
            shard: pass(shard.fd),
            private: shard.privateFd === null ? null : pass(shard.privateFd),
          })),
    acceptAtOnce: request.acceptAtOnce,
    reportEveryMs: request.reportEveryMs,
    wrapped: !isDirect,
    agent: request.agentPath,
  };

  const env: Record<string, string> = {
    ...request.env,
    [BOOT_VARIABLE]: JSON.stringify(boot),
    [SPAWN_VARIABLE]: request.spawnId,
  };
  const [file, ...args] = command.argv;
  if (command.agentAt === null) {
    // Descriptors do not pass through wrappers such as npm, and the command line is not ours: the agent comes by name.
    const quoted = request.agentPath.includes(' ') ? `"${request.agentPath}"` : request.agentPath;
    env['NODE_OPTIONS'] = [env['NODE_OPTIONS'], `--require ${quoted}`].filter(Boolean).join(' ');
  } else {
    args.splice(command.agentAt - 1, 0, '--require', request.agentPath);
  }

  return spawn(findExecutable(file, env['PATH'] ?? '', config.cwd), args, {
    cwd: config.cwd,
    env,
    // A session of its own: the terminal's Ctrl-C must not reach it, and its whole tree can be found.
    detached: true,
    stdio: ['ignore', request.stdoutFd, request.stderrFd, ...passed],
    ...(request.identity === null ? {} : { uid: request.identity.uid, gid: request.identity.gid }),
  });
};

/** Looks a program up in the worker's PATH, not in the daemon's. */
const findExecutable = (file: string, path: string, cwd: string): string => {
  if (file.includes('/')) return file;
  for (const directory of path.split(delimiter)) {
    const candidate = join(directory === '' ? cwd : directory, file);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not in this directory; the next one is tried.
    }
  }
  throw new DroverError('DROVER_SCRIPT_MISSING', { script: file, problem: 'was not found in PATH' });
};
