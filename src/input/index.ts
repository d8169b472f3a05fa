/** The door of `input`: what every reader of a diagnostic file needs, whatever the format. */
export { BadFile, type BadFileDetails } from './bad-file.ts';
export { openInput, type OpenOptions } from './open.ts';
