/**
 * Keeps the daemon small for as long as it lives. What it has of the C library's allocator comes and goes in small pieces
 * (statements, answers, messages), and what is free lies between them: after ten rounds of a soak 10.8 of 16.5 MB were
 * (`mallinfo2`), 3.6 MB of them in whole pages. And what logs are read into made the heap swing between 5 and 13 MB.
 */
import { giveBackFreeMemory, mapLargeBlocks } from '../os/index.ts';

const TRIM_EVERY_MS = 2_000;

/** Keeps nobody from ending. That there is one heap for all threads is said where the daemon is started (`program/program.ts`). */
export const staySmall = (): void => {
  mapLargeBlocks();
  setInterval(giveBackFreeMemory, TRIM_EVERY_MS).unref();
};
