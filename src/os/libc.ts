/**
 * The C library, through koffi. Nothing is loaded before the first call, and each function is looked up when it is
 * first used: importing this room costs nothing, and a function that only Linux has is no problem elsewhere.
 *
 * Only this room calls libc. Callers get facilities (`socket.ts`, `pidfd.ts`, …), never raw functions.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { OsError } from './os-error.ts';

/** What our prototypes take: numbers, and buffers for pointers (null is the null pointer). */
type Argument = number | bigint | string | Buffer | null;
type CFunction = (...args: readonly Argument[]) => number | bigint;

export const isLinux = process.platform === 'linux';

// The program's own symbols: Node links the C library dynamically, so this finds glibc, musl and libSystem alike.
const PROTOTYPES = {
  bind: 'int bind(int, void*, uint32)',
  connect: 'int connect(int, void*, uint32)',
  dup2: 'int dup2(int, int)',
  fallocate: 'int fallocate(int, int, int64, int64)',
  fcntl: 'int fcntl(int, int, ...)',
  getsockname: 'int getsockname(int, void*, void*)',
  getsockopt: 'int getsockopt(int, int, int, void*, void*)',
  inet_ntop: 'uintptr_t inet_ntop(int, void*, void*, uint32)',
  inet_pton: 'int inet_pton(int, str, void*)',
  ioctl: 'int ioctl(int, ulong, void*)',
  listen: 'int listen(int, int)',
  mallopt: 'int mallopt(int, int)',
  malloc_trim: 'int malloc_trim(size_t)',
  pipe: 'int pipe(void*)',
  recv: 'long recv(int, void*, size_t, int)',
  send: 'long send(int, void*, size_t, int)',
  sendmsg: 'long sendmsg(int, void*, int)',
  setsockopt: 'int setsockopt(int, int, int, void*, uint32)',
  shutdown: 'int shutdown(int, int)',
  socket: 'int socket(int, int, int)',
  socketpair: 'int socketpair(int, int, int, void*)',
  waitpid: 'int waitpid(int, void*, int)',
  // Variadic in C. All arguments are of one machine word, which the Linux conventions of x86-64 and arm64 pass alike.
  syscall: 'long syscall(long, long, long, long, long, long, long)',
} as const;

export type CName = keyof typeof PROTOTYPES;

let koffi: typeof Koffi | undefined;
let library: Koffi.LibraryHandle | undefined;
const functions = new Map<CName, CFunction>();

/** Koffi itself, loaded now if it was not. */
export function loadKoffi(): typeof Koffi {
  koffi ??= createRequire(import.meta.url)('koffi') as typeof Koffi;
  return koffi;
}

function find(name: CName): CFunction {
  library ??= loadKoffi().load(null);
  const found = library.func(PROTOTYPES[name]) as CFunction;
  functions.set(name, found);
  return found;
}

/** Calls libc and returns its result, errors included; {@link lastErrno} tells which. */
export function tryCall(name: CName, ...args: readonly Argument[]): number {
  return Number((functions.get(name) ?? find(name))(...args));
}

/** Calls libc; a negative result becomes an {@link OsError}. */
export function call(name: CName, ...args: readonly Argument[]): number {
  const result = tryCall(name, ...args);
  if (result < 0) throw new OsError(name, lastErrno());
  return result;
}

export function lastErrno(): number {
  return loadKoffi().errno();
}

/** The address of a buffer, for pointers inside structures. The caller keeps the buffer alive over the call. */
export function addressOf(buffer: Buffer): bigint {
  return loadKoffi().address(buffer);
}

/** System calls without a function in the C library, Linux only. Their numbers differ between architectures. */
const SYSCALL_NUMBERS = {
  bpf: { x64: 321, arm64: 280 },
  memfd_create: { x64: 319, arm64: 279 },
  pidfd_open: { x64: 434, arm64: 434 },
  pidfd_getfd: { x64: 438, arm64: 438 },
} as const;

/** Calls Linux directly; a negative result becomes an {@link OsError}. Buffers are passed by address. */
export function callKernel(name: keyof typeof SYSCALL_NUMBERS, ...args: readonly (number | bigint | Buffer)[]): number {
  const numbers: Readonly<Partial<Record<string, number>>> = SYSCALL_NUMBERS[name];
  const number = isLinux ? numbers[process.arch] : undefined;
  if (number === undefined) throw new OsError(name, NO_SUCH_CALL, `on ${process.platform} ${process.arch}`);
  const words = args.map((arg) => (Buffer.isBuffer(arg) ? addressOf(arg) : arg));
  while (words.length < 6) words.push(0);
  const result = tryCall('syscall', number, ...words);
  if (result < 0) throw new OsError(name, lastErrno());
  return result;
}

const NO_SUCH_CALL = isLinux ? 38 : 78;
