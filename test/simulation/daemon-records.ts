/** The real store as one daemon's supervisor writes to it: at each write the daemon may die instead. */
import type { Store } from '../../src/store/index.ts';
import type { SupervisorEdges } from '../../src/supervisor/index.ts';
import type { SimDaemon, World } from './daemon.ts';

type Records = SupervisorEdges['records'];
type NewOperation = Parameters<Records['operations']['begin']>[0];

export const simRecords = (daemon: SimDaemon, store: Store, world: World): Records => {
  const begun = (operation: NewOperation, begin: (operation: NewOperation) => { readonly id: string }) =>
    daemon.effect('begin operation', () => {
      const { id } = begin(operation);
      world.onPhase(operation.phase, id);
      return { id };
    });
  return {
    transaction: (work) => daemon.effect('transaction', () => store.transaction(work)),
    keepTogether: (work) => daemon.effect('keep together', () => store.keepTogether(work)),
    workers: {
      put: (record) => daemon.effect('put worker', () => store.workers.put(record)),
      setPhase: (key, phase) => daemon.effect('set phase', () => store.workers.setPhase(key, phase)),
      setRole: (key, role) => daemon.effect('set role', () => store.workers.setRole(key, role)),
      remove: (key) => daemon.effect('remove worker', () => store.workers.remove(key)),
    },
    ports: {
      put: (record) => daemon.effect('put port', () => store.ports.put(record)),
      remove: (app, key) => daemon.effect('remove port', () => store.ports.remove(app, key)),
      list: (app) => store.ports.list(app),
    },
    operations: {
      begin: (operation) => begun(operation, (each) => store.operations.begin(each)),
      beginUnasked: (operation) => begun(operation, (each) => store.operations.beginUnasked(each)),
      advance: (id, phase, state) =>
        daemon.effect('advance operation', () => {
          store.operations.advance(id, phase, state);
          world.onPhase(phase, id);
        }),
      end: (id, phase, receipt) =>
        daemon.effect('end operation', () => {
          world.onOperationEnd(id, receipt);
          store.operations.end(id, phase, receipt);
        }),
    },
    events: {
      append: (event) => {
        if (daemon.isDead) return 0;
        world.onEvent(event);
        return store.events.append(event);
      },
    },
  };
};
