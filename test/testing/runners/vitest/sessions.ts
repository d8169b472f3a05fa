// What the tests check, as vitest's users write it: TypeScript, which vitest transforms.
interface Session {
  id: number;
  user: string;
  roles: string[];
}

const sessions = new Map<number, Session>();
let last = 0;

export function openSession(): void {
  last += 1;
  sessions.set(last, { id: last, user: `user-${last}`, roles: ['customer'] });
}

const recent = new Map<number, Session>();

export async function openBoundedSession(): Promise<void> {
  last += 1;
  recent.set(last % 20, { id: last, user: `user-${last}`, roles: ['customer'] });
  await Promise.resolve();
}
