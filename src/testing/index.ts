/**
 * `drover/testing`: checks for people's own suites, whatever runs them (`node:test`, vitest, jest).
 *
 *     test('the cart does not leak', async () => {
 *       await expectNoLeak(async () => { await cart.add('sku-1'); });
 *     });
 *
 * Loads nothing but Node: heaps are read by a process of its own. It refuses to measure two functions at a time.
 */
export { expectNoLeak } from './expect-no-leak.ts';
export { LeakCheckInconclusive, LeakFound } from './leak-errors.ts';
export type { LeakCheck, LeakCheckOptions } from './leak-check.ts';
