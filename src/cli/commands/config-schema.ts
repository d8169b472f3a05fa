import { loadJsonSchema } from '../../config/index.ts';
import { defineCommand, JSON_OPTION } from '../command.ts';

export const command = defineCommand({
  args: [],
  options: [JSON_OPTION],
  details: 'Save it and point `$schema` of a drover.config.json to it.',
  run: async (context) => {
    context.print(JSON.stringify(await loadJsonSchema(), null, 2));
    return 0;
  },
});
