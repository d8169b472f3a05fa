/**
 * What an error is, in one line, for the reason of an exit. Not the first line of its stack: of a syntax error that is the
 * place, and the error comes after the line of source. Refuses to throw: it runs while the process dies.
 */

const MOST_CHARACTERS = 2000;

export function headlineOf(error: unknown): string {
  try {
    return (error instanceof Error ? headOfStack(error) : String(error)).slice(0, MOST_CHARACTERS);
  } catch {
    return 'an error without words';
  }
}

/** The line of the stack where there is one: it has Node's code as well (`TypeError [ERR_INVALID_ARG_TYPE]: …`). */
function headOfStack({ name, message, stack = '' }: Error): string {
  const [said = ''] = message.split('\n', 1);
  const line = stack.split('\n').find((each) => each.startsWith(name) && each.includes(said));
  return line ?? (said === '' ? name : `${name}: ${said}`);
}
