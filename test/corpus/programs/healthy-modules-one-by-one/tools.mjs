const TOOLS = {
  hash: async (text) => (await import('node:crypto')).createHash('sha256').update(text).digest('hex'),
  compress: async (text) => (await import('node:zlib')).gzipSync(text).length,
  host: async () => (await import('node:os')).hostname().length,
  resolve: async () => (await import('node:dns')).getServers().length,
  render: async (text) => (await import('mustache')).default.render('<b>{{text}}</b>', { text }),
  clone: async (text) => (await import('lodash/cloneDeep.js')).default({ text, nested: { text } }).nested.text,
  limit: async (text) => (await import('p-limit')).default(2)(async () => text.length),
  context: async (text) => (await import('node:vm')).runInThisContext(`(${JSON.stringify(text)}).length`),
  text: async (text) => new (await import('node:string_decoder')).StringDecoder('utf8').end(Buffer.from(text)),
  inspect: async (text) => (await import('node:util')).inspect({ text }),
};

const names = Object.keys(TOOLS);
const usage = new Map();

export async function useTool(number) {
  // A new tool every tenth call, later all of them in turn.
  const name = names[number < 100 ? Math.floor(number / 10) % names.length : number % names.length];
  usage.set(name, (usage.get(name) ?? 0) + 1);
  return TOOLS[name](`input ${number}`);
}
