/**
 * The load of the shop (test/fixtures/services/shop): open, so that a slow answer does not hold the next request back, at
 * a rate and in a mix of routes that wander. Everything random comes of one seed.
 */
import { Agent, request } from 'node:http';
import { seeded } from '../random.ts';

export interface Traffic {
  /** Requests answered so far, by route; with any other status than 200 under `failed`. */
  readonly counts: Readonly<Record<string, number>>;
  stop(): void;
}

interface Route {
  readonly name: string;
  readonly weight: number;
  readonly send: (random: () => number) => { readonly path: string; readonly body?: string };
}

const integer = (random: () => number, below: number): number => Math.floor(random() * below);
const WORDS = ['red', 'blue', 'green', 'cotton', 'steel', 'table', 'lamp', 'shirt', 'knife', 'book', 'tent', 'rope'];
const word = (random: () => number): string => WORDS[integer(random, WORDS.length)] ?? '';

const ROUTES: readonly Route[] = [
  { name: 'product', weight: 30, send: (random) => ({ path: `/product/${integer(random, 3000)}` }) },
  { name: 'category', weight: 20, send: (random) => ({ path: `/category/${integer(random, 40)}` }) },
  {
    name: 'search',
    weight: 20,
    send: (random) => ({ path: `/search?q=${word(random)}+${word(random)}+${word(random)}` }),
  },
  {
    name: 'checkout',
    weight: 14,
    send: (random) => {
      const lines = Array.from({ length: 1 + integer(random, 12) }, () => ({
        id: integer(random, 3000),
        count: 1 + integer(random, 4),
      }));
      return { path: '/checkout', body: JSON.stringify({ lines }) };
    },
  },
  {
    name: 'login',
    weight: 6,
    send: (random) => ({
      path: '/login',
      body: JSON.stringify({ name: `c${integer(random, 9999)}`, password: String(random()) }),
    }),
  },
  {
    name: 'transform',
    weight: 10,
    send: (random) => {
      const rows = Array.from({ length: 100 + integer(random, 800) }, (_, at) => ({
        at,
        kind: word(random),
        value: random() * 100,
      }));
      return { path: '/transform', body: JSON.stringify(rows) };
    },
  },
];

/** How long rate and mix remember what they were. */
const MEMORY_MS = 40_000;
const RATE_SPREAD = 0.2;
const MIX_SPREAD = 0.25;
const STEP_MS = 500;

/** A walk that is drawn back to 0 (Ornstein–Uhlenbeck, in steps), with that standard deviation from the first on. */
function startWalk(random: () => number, spread: number): () => number {
  const keep = Math.exp(-STEP_MS / MEMORY_MS);
  let value = spread * gaussian(random);
  return () => (value = value * keep + spread * Math.sqrt(1 - keep * keep) * gaussian(random));
}

const gaussian = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Sends about `perSecond` requests to the shop on `port` until it is stopped. */
export function startTraffic(port: number, perSecond: number, seed: number): Traffic {
  const random = seeded(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const counts: Record<string, number> = { failed: 0 };
  const rateWalk = startWalk(random, RATE_SPREAD);
  const mixWalks = ROUTES.map(() => startWalk(random, MIX_SPREAD));
  let rate = perSecond;
  let weights = ROUTES.map(({ weight }) => weight);
  const step = (): void => {
    rate = perSecond * Math.exp(rateWalk());
    weights = ROUTES.map(({ weight }, at) => weight * Math.exp(mixWalks[at]?.() ?? 0));
  };
  step();
  const stepper = setInterval(step, STEP_MS);

  const sendOne = (): void => {
    const route = draw(weights, random);
    const { path, body } = route.send(random);
    const customer = `c${integer(random, 5000)}`;
    const headers = { cookie: `session=${customer}; signature=fresh` };
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ agent, port, host: '127.0.0.1', path, method, headers }, (response) => {
      const name = response.statusCode === 200 ? route.name : 'failed';
      response.resume().on('end', () => (counts[name] = (counts[name] ?? 0) + 1));
    });
    sent.on('error', () => (counts['failed'] = (counts['failed'] ?? 0) + 1));
    sent.end(body);
  };

  // A timer may come late on a busy machine: it then sends what has become due, as clients elsewhere would have.
  let dueAt = performance.now();
  const sender = setInterval(() => {
    for (const now = performance.now(); dueAt <= now;) {
      sendOne();
      dueAt += (-Math.log(1 - random()) * 1000) / rate;
    }
  }, 4);

  return {
    counts,
    stop: () => {
      clearInterval(sender);
      clearInterval(stepper);
      agent.destroy();
    },
  };
}

function draw(weights: readonly number[], random: () => number): Route {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, route] of ROUTES.entries()) {
    left -= weights[at] ?? 0;
    if (left < 0) return route;
  }
  return ROUTES[0] as Route;
}
