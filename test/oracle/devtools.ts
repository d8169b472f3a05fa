/** What Chrome DevTools' own heap worker says about a snapshot: loaded and asked as its front end does, in this process. */
import { createReadStream } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

export interface DevToolsNode {
  nodeIndex: number;
  selfSize(): number;
  className(): string;
  name(): string;
  type(): string;
}

export interface DevToolsAggregate {
  readonly name: string;
  readonly count: number;
  readonly self: number;
  readonly maxRet: number;
}

export interface DevToolsFrame {
  readonly functionName: string;
  readonly scriptName: string;
  readonly scriptId: number;
  readonly line: number;
  readonly column: number;
}

export interface DevToolsSnapshot {
  readonly nodeCount: number;
  readonly nodeFieldCount: number;
  readonly nodeDistances: Int32Array;
  readonly retainedSizes: Float64Array;
  readonly dominatorsTree: Uint32Array;
  readonly totalSize: number;
  readonly strings: readonly string[];
  createNode(index: number): DevToolsNode;
  /** Innermost function first; null where nothing is known. */
  allocationStack(nodeIndex: number): readonly DevToolsFrame[] | null;
  /** By class and place, as `aggregatesWithFilter` gives them to the front end. */
  getAggregatesByClassKey(isSorted: boolean, key?: string): Record<string, DevToolsAggregate>;
}

interface Worker {
  readonly HeapSnapshot: { readonly SecondaryInitManager: new (port: MessagePort) => unknown };
  readonly HeapSnapshotLoader: {
    readonly HeapSnapshotLoader: new (dispatcher: { sendEvent(): void }) => {
      readonly parsingComplete: Promise<void>;
      write(text: string): void;
      close(): void;
      buildSnapshot(secondWorker: MessagePort): Promise<DevToolsSnapshot>;
    };
  };
}

/** `bundle`: what `bundleDevTools` wrote. */
export async function loadInDevTools(bundle: string, path: string): Promise<DevToolsSnapshot> {
  const worker = (await import(pathToFileURL(bundle).href)) as Worker;
  const loader = new worker.HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent: () => undefined });
  for await (const text of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 }))
    loader.write(text as string);
  loader.close();
  await loader.parsingComplete;
  const { port1, port2 } = new MessageChannel();
  const second = new worker.HeapSnapshot.SecondaryInitManager(port2);
  try {
    return await loader.buildSnapshot(port1);
  } finally {
    void second;
    port1.close();
  }
}
