/** What was thrown, in words. */
export const messageOf = (error: unknown): string => {
  // Of a name with several addresses that all refuse: its own message is empty.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
};
