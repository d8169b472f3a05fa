import { DroverError } from '../protocol/index.ts';

/** An id as Drover gives them: of a silence, of a message that was given up. */
export const parseId =
  (option: string) =>
  (text: string): string => {
    if (/^[\w:.-]{1,200}$/.test(text)) return text;
    throw new DroverError('DROVER_USAGE', {
      message: `${option} ${JSON.stringify(text)}: write an id as \`drover alerts\` shows it.`,
    });
  };
