/**
 * A second process behind the wrapper of a worker that listens on its own (`concurrently`, a helper of the app's). One
 * process speaks for a worker, and is drained; the others bind by themselves, at once instead of waiting for an answer.
 * What they listen on counts as the worker's.
 */
import type { AgentLink, LinkListener } from './agent-link.ts';
import { isOfWorker } from './agent-messages.ts';
import { parseAgentMessage } from './agent-schema.ts';
import type { Tenant } from './tenant.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** More servers than any process has: keeps the ids that they give their servers apart. */
const IDS_PER_PROCESS = 1e6;

export const bystander = (tenant: Tenant, handle: WorkerHandle, link: AgentLink): LinkListener => {
  handle.hasBystanders = true;
  let pid = 0;
  return {
    onMessage(raw) {
      const { message } = parseAgentMessage(raw);
      if (message === null || tenant.handle !== handle || handle.pid === null) return;
      if (message.type === 'hello') {
        if (!isOfWorker(message.pid, handle)) return link.close();
        pid = message.pid;
      }
      if (message.type === 'listen') {
        // In this order: it listens before it tells where, and only what listens is taken for its socket.
        link.send({ type: 'accept' });
        link.send({ type: 'bind', id: message.id, reusePort: true });
      }
      if (message.type !== 'bound') return;
      tenant.host.desk.adopt(tenant, handle, { ...message, id: pid * IDS_PER_PROCESS + message.id }, pid);
      if (handle.isAccepting) tenant.host.desk.attach(tenant, handle);
      tenant.checkReadiness();
    },
    onGarbage: () => link.close(),
    onClose: () => undefined,
  };
};
