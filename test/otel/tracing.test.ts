/** OpenTelemetry under the daemon, set up as `docs/tracing.md` says, on each Node. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listNodes } from '../support/nodes.ts';
import { checkCall } from './chain.ts';
import { openTracedPlace } from './place.ts';

describe('the set-up of the page', () => {
  for (const node of listNodes())
    it(`has one chain of spans, ids on lines and one header, and sends what is left at its end, under ${node.name}`, async () => {
      await using place = await openTracedPlace(node);
      await place.start();
      const spans = await checkCall(place);
      assert.deepEqual(new Set(spans.map(({ service }) => service)), new Set(['shop']));
    });
});
