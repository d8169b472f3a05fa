import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListenAddress } from '../protocol/index.ts';
import type { App } from './app.ts';
import { regainPorts } from './regain-ports.ts';
import { newRegained } from './regained.ts';

const ADDRESS: ListenAddress = { kind: 'tcp', host: '0.0.0.0', port: 3000, v6only: false };

/**
 * An app on one port. `kept`: sockets by slot that the daemon has; `held`: those that its workers have, in their order;
 * `isShared`: the port is one socket for all slots, such as that of a Unix path.
 */
const regain = (
  kept: Readonly<Record<number, number>>,
  held: readonly (readonly [number, ...number[]])[],
  isShared = false,
) => {
  const adopted: string[] = [];
  const closed: number[] = [];
  const isOpen = Object.keys(kept).length > 0;
  const port = {
    key: 'shop 3000',
    address: ADDRESS,
    hasShard: (slot: number) => isShared || slot in kept || adopted.some((each) => each.endsWith(` as ${slot}`)),
    isShardAmong: (slot: number, inodes: ReadonlySet<number>) => {
      if (isShared) return true;
      const own = adopted.findLast((each) => each.endsWith(` as ${slot}`));
      return inodes.has(own === undefined ? (kept[slot] ?? -1) : Number.parseInt(own, 10));
    },
    hasSocket: (inode: number) => Object.values(kept).includes(inode),
  };
  const handles = held.map(([slot, ...inodes]) => ({ slot, inodes }));
  const app = {
    app: 'shop',
    state: { config: { sticky: false }, instances: 2 },
    regained: newRegained(),
    liveHandles: () => handles,
    edges: {
      records: { ports: { list: () => [{ address: ADDRESS }] } },
      traffic: {
        findPort: () => (isOpen || adopted.length > 0 ? port : null),
        ports: () => (isOpen ? [port] : []),
        view: () => [{ key: port.key, shards: Object.keys(kept).map((slot) => ({ slot: Number(slot) })) }],
        adoptPort: ({ fd, slot }: { fd: number; slot: number }) => adopted.push(`${fd} as ${slot}`),
      },
      processes: {
        bootAddresses: () => [],
        listeners: ({ inodes }: (typeof handles)[number]) => inodes.map((inode) => ({ inode, address: ADDRESS })),
        takeListeners: (from: typeof handles) =>
          new Map(
            from.map((handle) => [
              handle,
              handle.inodes.map((inode) => ({ fd: inode, inode, close: () => closed.push(inode) })),
            ]),
          ),
      },
    },
  };
  regainPorts(app as unknown as App);
  return { adopted, closed };
};

describe('a daemon whose guard died with the one before it', () => {
  it('takes the shards from the workers, each from its own', () => {
    assert.deepEqual(
      regain({}, [
        [0, 10],
        [1, 11],
      ]).adopted,
      ['10 as 0', '11 as 1'],
    );
  });

  it('knows the shard of a worker that covers for others by what the others have', () => {
    const { adopted, closed } = regain({}, [
      [0, 10, 11],
      [1, 11],
    ]);
    assert.deepEqual(adopted, ['11 as 1', '10 as 0']);
    assert.deepEqual(closed, [11]);
  });

  it('takes no shard of a sibling for one of a slot that has two workers, and has it emptied', () => {
    // A replacement boots; the one that it is to replace covers a slot of which nobody is left.
    const { adopted } = regain({}, [
      [0, 10],
      [0, 10, 12],
      [1, 11],
    ]);
    assert.deepEqual(adopted, ['10 as 0', '11 as 1', '12 as 2']);
  });
});

describe('a daemon whose workers have different sockets of one Unix path', () => {
  it('is offered each of them, and searches no free slot', () => {
    const { adopted } = regain(
      {},
      [
        [0, 10],
        [1, 11],
      ],
      true,
    );
    assert.deepEqual(adopted, ['10 as 0', '11 as 2']);
  });
});

describe('a daemon whose guard had not heard of the newest shard', () => {
  it('takes that one from its worker, and leaves the others alone', () => {
    const { adopted, closed } = regain({ 0: 10 }, [
      [0, 10, 11],
      [1, 10, 11],
    ]);
    assert.deepEqual(adopted, ['11 as 1']);
    assert.deepEqual(closed, [10]);
  });

  it('takes the one that a worker was given in place of one that was kept', () => {
    const { adopted, closed } = regain({ 0: 10, 1: 11 }, [
      [0, 10, 11],
      [1, 12],
    ]);
    assert.deepEqual([adopted, closed], [['12 as 1'], []]);
  });

  it('asks no worker that does not listen yet', () => {
    assert.deepEqual(regain({ 0: 10, 1: 11 }, [[0, 10], [1] as unknown as [number, number]]).adopted, []);
  });

  it('asks no worker where it has all of them', () => {
    assert.deepEqual(
      regain({ 0: 10, 1: 11 }, [
        [0, 10],
        [1, 11],
      ]),
      { adopted: [], closed: [] },
    );
  });
});
