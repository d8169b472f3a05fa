/** Whether there is something to say about dropped output that was not said yet. */
import type { LogDrops } from '../protocol/agent.ts';

export class DropNews {
  #told = '';

  /** Once true for what it was given, false until that changes. */
  isNew(drops: LogDrops | undefined): boolean {
    const state = drops === undefined ? '' : `${drops.bytes} ${drops.isDropping}`;
    const isNew = state !== this.#told;
    this.#told = state;
    return isNew;
  }
}
