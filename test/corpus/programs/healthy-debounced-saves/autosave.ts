import { createServer } from 'node:http';

interface Draft {
  id: string;
  text: string;
  timer: NodeJS.Timeout | undefined;
}

const drafts = new Map<string, Draft>();
const saved = new Map<string, { text: string; version: number }>();

function save(draft: Draft): void {
  drafts.delete(draft.id);
  const version = (saved.get(draft.id)?.version ?? 0) + 1;
  saved.set(draft.id, { text: draft.text, version });
}

function edit(id: string, text: string): void {
  const draft = drafts.get(id) ?? { id, text, timer: undefined };
  clearTimeout(draft.timer);
  draft.text = text;
  draft.timer = setTimeout(() => save(draft), 100);
  drafts.set(id, draft);
}

createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const id = request.url?.split('/').at(-1) ?? '';
  edit(id, (JSON.parse(body) as { text: string }).text);
  response.end(JSON.stringify({ id, drafts: drafts.size }));
}).listen(Number(process.env.PORT ?? 3000));
