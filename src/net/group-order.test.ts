import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { reconcileOrder } from './group-order.ts';

/** The kernel's array, as `reuseport_add_sock` and `reuseport_detach_sock` keep it. */
class Kernel {
  array: number[] = [];
  listening: number[] = [];
  #next = 1;

  open(): void {
    this.array.push(this.#next);
    this.listening.push(this.#next);
    this.#next += 1;
  }

  close(which: number): void {
    const inode = this.listening[which % this.listening.length];
    if (inode === undefined) return;
    this.listening = this.listening.filter((each) => each !== inode);
    const at = this.array.indexOf(inode);
    const last = this.array.pop();
    if (last !== undefined && at < this.array.length) this.array[at] = last;
  }
}

describe('the order of a group', () => {
  it('follows the kernel through any history that is looked at after each change', () => {
    const history = fc.array(fc.oneof(fc.constant(null), fc.nat()));
    fc.assert(
      fc.property(history, (changes) => {
        const kernel = new Kernel();
        let order: readonly number[] = [];
        for (const change of changes) {
          if (change === null) kernel.open();
          else kernel.close(change);
          order = reconcileOrder(order, kernel.listening);
          assert.deepEqual(order, kernel.array);
        }
      }),
    );
  });

  it('puts several newcomers behind in the order in which they came', () => {
    assert.deepEqual(reconcileOrder([3, 1], [1, 3, 7, 9]), [3, 1, 7, 9]);
  });
});
