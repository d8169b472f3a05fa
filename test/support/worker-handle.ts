import { WorkerHandle } from '../../src/supervisor/worker-handle.ts';

/** The daemon's record of the first process of `shop/0`, spawned at 0. */
export const newHandle = (): WorkerHandle =>
  new WorkerHandle({
    app: 'shop',
    slot: 0,
    generation: 1,
    release: 1,
    spawnId: 'x',
    nodeVersion: null,
    spawnedAt: 0,
    startedAt: 0,
  });
