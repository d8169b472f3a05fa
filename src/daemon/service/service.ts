/** What the API serves, put together from its parts: queries, changes of apps, changes of workers, operations. */
import type { DroverService } from '../../api/index.ts';
import { appChangesOf } from './app-changes.ts';
import { indexApps } from './app-index.ts';
import { findLogTargets } from './log-targets.ts';
import { openOnce } from './once.ts';
import type { ServiceParts } from './parts.ts';
import { queriesOf } from './queries.ts';
import { workerChangesOf } from './worker-changes.ts';

export const openService = (parts: ServiceParts): DroverService => {
  const { operations, logs } = parts;
  const index = indexApps(parts);
  const once = openOnce(parts);
  return {
    ...queriesOf(parts, index),
    ...appChangesOf(parts, index, once),
    ...workerChangesOf(parts, index, once),

    async listOperations(app) {
      const found = operations.list(app);
      // As with events: they outlive their app.
      if (app !== null && found.length === 0) index.get(app);
      return found;
    },
    getOperation: async (id) => operations.get(id),
    async abortOperation(id) {
      operations.find(id)?.abort('as asked');
      return operations.get(id);
    },
    watchOperation: (id, signal) => operations.watch(id, signal),

    async flushLogs(target) {
      const chosen = findLogTargets(parts, index, target);
      let freedBytes = 0;
      for (const { app, slots, isDeleted } of chosen) {
        freedBytes += logs.flush(app, slots);
        if (isDeleted) logs.forget(app);
      }
      return { apps: chosen.map(({ app }) => app), freedBytes };
    },
    async configureDaemon(config) {
      parts.settings.put(config);
      parts.care.reconfigure();
    },
    silenceAlerts: async (silence, { caller }) =>
      parts.care.alerts.silence({ ...silence, createdBy: caller === null ? null : `uid ${caller.uid}` }),
    expireSilence: async (id) => parts.care.alerts.expireSilence(id),
    testAlerts: async (receiver) => ({ receivers: await parts.care.alerts.testFire(receiver) }),
    async retryDelivery(id) {
      parts.care.alerts.retry(id);
    },
    async dropDelivery(id) {
      parts.care.alerts.drop(id);
    },
    async shutdown({ keepWorkers }) {
      parts.onShutdown(keepWorkers);
    },
    upgrade: async ({ program }) => parts.onUpgrade(program),
  };
};
