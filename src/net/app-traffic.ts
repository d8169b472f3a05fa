/** What the ports of one app have in common: who accepts in which slot, how busy they are, and what share each may have. */
import type { Clock, Lane, ShardHolder } from '../protocol/index.ts';

export interface Load {
  /** Of the worker's event loop, 0–1. */
  readonly utilization: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
}

export interface Place {
  readonly slot: number;
  readonly lane: Lane;
}

export type LaneWeights = Readonly<Record<Lane, number>>;

/** Reports older than this say nothing about now. */
const LOAD_IS_STALE_AFTER_MS = 15_000;

/** A worker with traffic reports every second: one that has not for this long has none. */
const RATE_IS_STALE_AFTER_MS = 2500;

export class AppTraffic {
  readonly #clock: Clock;
  readonly #holders = new Map<string, ShardHolder>();
  readonly #byPlace = new Map<string, readonly ShardHolder[]>();
  readonly #factors = new Map<string, number>();
  readonly #loads = new Map<string, Load & { readonly at: number }>();
  #lanes: LaneWeights = { stable: 100, candidate: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addHolder(holder: ShardHolder): void {
    this.removeHolder(holder.id);
    this.#holders.set(holder.id, holder);
    this.#byPlace.set(placeKey(holder), [...(this.#byPlace.get(placeKey(holder)) ?? []), holder]);
  }

  removeHolder(id: string): boolean {
    const holder = this.#holders.get(id);
    if (holder === undefined) return false;
    const others = (this.#byPlace.get(placeKey(holder)) ?? []).filter((each) => each !== holder);
    this.#byPlace.set(placeKey(holder), others);
    return this.#holders.delete(id);
  }

  /** The newest at this place that serves the port: beside it there can only be one that is about to leave. */
  findHolder(place: Place, key: string): ShardHolder | null {
    return this.#byPlace.get(placeKey(place))?.findLast((holder) => holder.serves(key)) ?? null;
  }

  get hasHolders(): boolean {
    return this.#holders.size > 0;
  }

  setLanes(weights: LaneWeights): void {
    this.#lanes = weights;
  }

  setFactor(place: Place, factor: number): void {
    this.#factors.set(placeKey(place), factor);
  }

  setLoad(place: Place, load: Load): void {
    this.#loads.set(placeKey(place), { ...load, at: this.#clock.monotonicMs() });
  }

  /** What a worker said lately; null when it said nothing. */
  findLoad(place: Place): Load | null {
    const load = this.#loads.get(placeKey(place));
    return load !== undefined && this.#clock.monotonicMs() - load.at < LOAD_IS_STALE_AFTER_MS ? load : null;
  }

  get requestsPerSecond(): number {
    const oldest = this.#clock.monotonicMs() - RATE_IS_STALE_AFTER_MS;
    let sum = 0;
    for (const load of this.#loads.values()) if (load.at > oldest) sum += load.requestsPerSecond;
    return sum;
  }

  forgetPlace(place: Place): void {
    this.#factors.delete(placeKey(place));
    if ((this.#byPlace.get(placeKey(place)) ?? []).length === 0) this.#byPlace.delete(placeKey(place));
    this.#loads.delete(placeKey(place));
  }

  /**
   * The share of each of these shards of a port: a lane's weight is divided among those of its shards that have a worker, so that
   * a canary's share does not depend on how many workers it has, nor on how many of the others are down.
   */
  baseWeights(places: readonly Place[], key: string): readonly number[] {
    const parts = places.map((place) => ({
      lane: place.lane,
      factor: this.#factors.get(placeKey(place)) ?? 1,
      isUp: this.findHolder(place, key) !== null,
    }));
    const totals = new Map<Lane, { living: number; all: number }>();
    for (const { lane, factor, isUp } of parts) {
      const total = totals.get(lane) ?? { living: 0, all: 0 };
      totals.set(lane, { living: total.living + (isUp ? factor : 0), all: total.all + factor });
    }
    return parts.map(({ lane, factor }) => {
      const { living = 0, all = 0 } = totals.get(lane) ?? {};
      const total = living > 0 ? living : all;
      return total > 0 ? (this.#lanes[lane] * factor) / total : 0;
    });
  }
}

export const placeKey = ({ slot, lane }: Place): string => `${lane}/${slot}`;
