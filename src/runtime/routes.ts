/**
 * Where requests are counted by route. The route is what the framework has left on the request, else guessed from the
 * path. How many there may be is bounded: what comes later is counted as `other`, and so is a path that nobody serves
 * (404 without a route), of which clients may make up any number.
 */
import type { RouteCounters } from '../protocol/index.ts';
import { guessRoute } from './route-guess.ts';
import { Tally } from './tally.ts';

/** What a request may have on it, by whichever framework. */
export interface RoutedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express, and what is made after it: the path as the router got it, which may be a pattern or several. */
  readonly route?: unknown;
  /** Express: where the router of that route is mounted; and the path before that was taken off. */
  readonly baseUrl?: string;
  readonly originalUrl?: string;
  readonly [ROUTE]?: string;
}

/** Under this the agent leaves the route that a framework has told it otherwise. */
export const ROUTE = Symbol('drover.route');

export const OTHER_ROUTE = 'other';
const NOT_FOUND = 404;
const FIRST_ERROR = 400;
const MAX_ROUTE_LENGTH = 200;
/** Paths whose guess is remembered. */
const MAX_REMEMBERED = 1000;

export interface RoutesRead {
  readonly list: readonly RouteCounters[];
  /** As JSON. */
  readonly bytes: number;
  /** Left out, because they would be too many bytes. */
  readonly dropped: number;
}

class Counter extends Tally {
  readonly method: string;
  readonly route: string;

  constructor(method: string, route: string) {
    super();
    this.method = method;
    this.route = route;
  }
}

/** What was guessed for a path. */
interface Guess {
  readonly path: string;
  readonly route: string;
  /** Where the last request for it was counted that somebody served. */
  counter: Counter | null;
}

export class Routes {
  readonly #counters = new Map<string, Map<string, Counter>>();
  readonly #guesses = new Map<string, Guess>();
  #lastGuess: Guess | null = null;
  #count = 0;
  #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Above so many, routes become `other`; one for each method comes on top. */
  set most(most: number) {
    if (most === this.#most) return;
    this.#most = most;
    // What was `other` may be a route of its own now.
    this.#guesses.clear();
    this.#lastGuess = null;
  }

  /** All of them together. */
  addTo(total: Tally): void {
    for (const routes of this.#counters.values()) for (const counter of routes.values()) total.add(counter);
  }

  /**
   * At most `mostBytes` of them as JSON. The first that came stay: what has once been left out stays out, because counters only
   * get longer, so that to whoever adds them up it looks as one that counts no more.
   */
  read(mostBytes = Infinity): RoutesRead {
    const list: RouteCounters[] = [];
    let bytes = 0;
    let dropped = 0;
    for (const routes of this.#counters.values()) {
      for (const { method, route, byClass, latency } of routes.values()) {
        const one = { method, route, byClass: [...byClass], latency: latency.toSparse() };
        bytes += Buffer.byteLength(JSON.stringify(one)) + 1;
        if (bytes > mostBytes) dropped += 1;
        else list.push(one);
      }
    }
    return { list, bytes: Math.min(bytes, mostBytes), dropped };
  }

  /**
   * Where a request that was answered is counted. For a hello-world server this is the largest part of what the agent does for a
   * request, so it looks no further than it must.
   */
  find(request: RoutedRequest, status: number): Tally {
    const method = request.method ?? 'GET';
    const known = routeOf(request, status);
    if (known !== null) return this.#counterOf(method, known, false);
    const guess = this.#guess(request);
    if (status === NOT_FOUND) return this.#counterOf(method, guess.route, true);
    if (guess.counter?.method !== method) guess.counter = this.#counterOf(method, guess.route, false);
    return guess.counter;
  }

  #counterOf(method: string, route: string, isUnknown: boolean): Counter {
    let routes = this.#counters.get(method);
    if (routes === undefined) this.#counters.set(method, (routes = new Map()));
    const counter = routes.get(route);
    if (counter !== undefined) return counter;
    const isOther = isUnknown || this.#count >= this.#most;
    const name = isOther ? OTHER_ROUTE : route;
    let own = routes.get(name);
    if (own === undefined) {
      if (!isOther) this.#count += 1;
      routes.set(name, (own = new Counter(method, name)));
    }
    return own;
  }

  #guess({ originalUrl, url = '/' }: RoutedRequest): Guess {
    const path = originalUrl ?? url;
    if (this.#lastGuess?.path === path) return this.#lastGuess;
    let guess = this.#guesses.get(path);
    if (guess === undefined) {
      guess = { path, route: guessRoute(path), counter: null };
      if (this.#guesses.size >= MAX_REMEMBERED) this.#guesses.clear();
      if (path.length <= MAX_ROUTE_LENGTH) this.#guesses.set(path, guess);
    }
    this.#lastGuess = guess;
    return guess;
  }
}

/** Null where no framework tells it. */
function routeOf(request: RoutedRequest, status: number): string | null {
  const told = request[ROUTE];
  if (told !== undefined) return told.slice(0, MAX_ROUTE_LENGTH);
  const { route } = request;
  if (typeof route !== 'object' || route === null) return null;
  const { path } = route as { readonly path?: unknown };
  if (typeof path !== 'string' && !(path instanceof RegExp) && !Array.isArray(path)) return null;
  const own = typeof path === 'string' ? path : String(path);
  const base = typeof request.baseUrl === 'string' ? request.baseUrl : '';
  const full = (base === '' && status >= FIRST_ERROR ? lostBase(request, own) : base) + own;
  return (full === '' ? '/' : full).slice(0, MAX_ROUTE_LENGTH);
}

/** Where a route fails, Express has taken the base away by now: what the path has more than the route stood before it. */
function lostBase({ originalUrl, url = '/' }: RoutedRequest, route: string): string {
  if (!route.startsWith('/') || /[*({]/.test(route)) return '';
  const path = (originalUrl ?? url).split(/[?#]/, 1)[0] ?? '/';
  const parts = partsOf(path);
  const more = parts.length - partsOf(route).length;
  return more <= 0 ? '' : guessRoute(`/${parts.slice(0, more).join('/')}`);
}

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');
