/**
 * The same tests under each supported Node. The Nodes go side by side, because the tests mostly wait; under one Node
 * the tests go one after the other.
 */
import { describe } from 'node:test';
import { listNodes, type TestNode } from '../../support/nodes.ts';

/** `subject` is the beginning of a sentence that "under node 24.21.0 …" continues. */
export function underEachNode(subject: string, tests: (node: TestNode) => void): void {
  describe(subject, { concurrency: true }, () => {
    for (const node of listNodes()) describe(`under ${node.name}`, { concurrency: 1 }, () => tests(node));
  });
}
