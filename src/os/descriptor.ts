/** What can be done with any descriptor, whatever it stands for. */
import { closeSync, fstatSync } from 'node:fs';
import type { DescriptorName } from '../protocol/index.ts';
import { F_GETFD, F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC, SYSTEM } from './constants.ts';
import { call } from './libc.ts';

/** A second descriptor of the same thing, closed on exec. */
export function duplicate(fd: number): number {
  return call('fcntl', fd, SYSTEM.F_DUPFD_CLOEXEC, ...variadic(0));
}

/** Lets a number that is in use stand for something else from now on. Programs started by `exec` have it. */
export function replaceDescriptor(fd: number, by: number): void {
  call('dup2', by, fd);
}

/** Whether a program started by `exec` loses this descriptor. */
export function setCloexec(fd: number, isOn: boolean): void {
  const flags = call('fcntl', fd, F_GETFD, ...variadic(0));
  call('fcntl', fd, F_SETFD, ...variadic(isOn ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC));
}

export function setNonblocking(fd: number): void {
  const flags = call('fcntl', fd, F_GETFL, ...variadic(0));
  call('fcntl', fd, F_SETFL, ...variadic(flags | SYSTEM.O_NONBLOCK));
}

/** Names the thing behind a descriptor, whichever number it has in a process. */
export function inodeOf(fd: number): number {
  return fstatSync(fd).ino;
}

/** The same; null where the number stands for nothing. */
export function inodeIfOpen(fd: number): number | null {
  try {
    return inodeOf(fd);
  } catch {
    return null;
  }
}

/** As {@link findNamed} finds it again, in this process or in one that it is passed to by its number. */
export function nameOf(fd: number, number = fd): DescriptorName {
  return `${number}:${inodeOf(fd)}`;
}

/** The number, where this process still has there what the name says; null: whoever started us did not keep it. */
export function findNamed(name: DescriptorName): number | null {
  const [fd = -1, inode] = name.split(':').map(Number);
  return inodeIfOpen(fd) === inode ? fd : null;
}

/** Closes; a descriptor that is already gone is no error. */
export function closeDescriptor(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error;
  }
}

// `fcntl` is variadic, and macOS on arm64 passes such arguments differently, so koffi must know their type.
const variadic = (value: number): readonly ['int', number] => ['int', value];
