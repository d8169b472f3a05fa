import { randomUUID } from 'node:crypto';

const sessions = new Map();

export function openSession(user, agent) {
  const id = randomUUID();
  sessions.set(id, {
    id,
    user,
    agent,
    createdAt: new Date(),
    roles: ['customer', 'beta'],
    preferences: { theme: 'dark', language: 'en', newsletter: false },
  });
  return id;
}

export function findSession(id) {
  return sessions.get(id);
}
