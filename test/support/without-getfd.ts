/**
 * Runs a command where nobody may take a descriptor out of another process, as in a container with the default seccomp
 * profile and without CAP_SYS_PTRACE: `node without-getfd.ts program arguments…`. The filter stays with the process, and
 * with whatever it starts.
 */
import koffi from 'koffi';

const SYS_PIDFD_GETFD = 438;
const EPERM = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;
/** BPF: load a word, jump if equal, return. */
const [LOAD, JUMP_IF_EQUAL, RETURN] = [0x20, 0x15, 0x06];

const filter: readonly (readonly [code: number, jumpTrue: number, jumpFalse: number, value: number])[] = [
  // The number of the system call is the first word of what the filter is shown.
  [LOAD, 0, 0, 0],
  [JUMP_IF_EQUAL, 0, 1, SYS_PIDFD_GETFD],
  [RETURN, 0, 0, SECCOMP_RET_ERRNO | EPERM],
  [RETURN, 0, 0, SECCOMP_RET_ALLOW],
];

const instructions = Buffer.alloc(filter.length * 8);
for (const [index, [code, jumpTrue, jumpFalse, value]] of filter.entries()) {
  instructions.writeUInt16LE(code, index * 8);
  instructions.writeUInt8(jumpTrue, index * 8 + 2);
  instructions.writeUInt8(jumpFalse, index * 8 + 3);
  instructions.writeUInt32LE(value >>> 0, index * 8 + 4);
}

koffi.struct('Program', { length: 'uint16', instructions: 'uint8 *' });
const prctl = koffi.load(null).func('int prctl(int, unsigned long, Program *, unsigned long, unsigned long)');
const set = (option: number, value: number, program: object | null): void => {
  if (prctl(option, value, program, 0, 0) !== 0) throw new Error(`prctl(${option}) failed with errno ${koffi.errno()}`);
};
set(PR_SET_NO_NEW_PRIVS, 1, null);
set(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { length: filter.length, instructions });

const [, , program = '', ...args] = process.argv;
const { execve } = process as unknown as {
  execve: (file: string, args: readonly string[], env: Readonly<Record<string, string>>) => never;
};
execve(program, [program, ...args], { ...process.env } as Record<string, string>);
