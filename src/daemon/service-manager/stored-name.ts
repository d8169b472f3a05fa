/**
 * Names in the service manager's descriptor store. They are limited to 255 characters without colons, and stay as they
 * were when a descriptor was stored; what Drover says of a descriptor is longer, and changes. So a descriptor is stored
 * under its inode, and beside them all a list says what each inode is. A new list is stored before the one before it is
 * removed: of two, the higher number counts.
 */
const LIST = /^drover-list-(\d+)$/;
const DESCRIPTOR = /^drover-(\d+)$/;

export const nameOfDescriptor = (inode: number): string => `drover-${inode}`;
export const nameOfList = (sequence: number): string => `drover-list-${sequence}`;

/** Null for a name that is none of ours. */
export const parseStoredName = (
  name: string,
): { readonly kind: 'list'; readonly sequence: number } | { readonly kind: 'descriptor' } | null => {
  const sequence = LIST.exec(name)?.[1];
  if (sequence !== undefined) return { kind: 'list', sequence: Number(sequence) };
  return DESCRIPTOR.test(name) ? { kind: 'descriptor' } : null;
};

/** What the list holds, as JSON. */
export interface StoredList {
  readonly descriptors: readonly { readonly name: string; readonly inode: number }[];
  /** The daemon that stored it had come so far that it served. */
  readonly hasServed: boolean;
  /** Daemons in a row, before that one, that had not. */
  readonly deaths: number;
}
