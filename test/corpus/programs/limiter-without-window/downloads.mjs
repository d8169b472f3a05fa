import { RateLimiterMemory } from 'rate-limiter-flexible';

// Each licence may download five times, ever.
const downloads = new RateLimiterMemory({ keyPrefix: 'downloads', points: 5, duration: 0 });

export async function mayDownload(licence) {
  try {
    const { remainingPoints } = await downloads.consume(licence);
    return remainingPoints >= 0;
  } catch {
    return false;
  }
}
