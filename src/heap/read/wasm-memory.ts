/** Where things lie in the memory of a `WasmReader`. */

/** Where chunks of input may be put: behind 16 bytes that may be read but mean nothing. */
export const INPUT_OFFSET = 64;
export const INPUT_BYTES = 1 << 20;
/** What is read at once; less than that is left to who looks at every byte. */
export const BLOCK_BYTES = 64;
export const OUTPUT_OFFSET = INPUT_OFFSET + INPUT_BYTES + 64;
/** Numbers a call may give. */
export const MAX_NUMBERS = 1 << 14;
export const PAGES = Math.ceil((OUTPUT_OFFSET + MAX_NUMBERS * 4) / 65_536);
