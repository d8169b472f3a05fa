/**
 * A second process behind the wrapper of a worker that listens on its own (`concurrently`, a helper of the app's). One
 * process speaks for a worker; the others bind by themselves, at once instead of waiting for an answer.
 */
import type { AgentLink, LinkListener } from './agent-link.ts';

export const bystander = (link: AgentLink): LinkListener => ({
  onMessage(message) {
    if (message.type !== 'listen') return;
    link.send({ type: 'bind', id: message.id, reusePort: true });
    link.send({ type: 'accept' });
  },
  onGarbage: () => link.close(),
  onClose: () => undefined,
});
