import { VectorPool } from './vector-pool.ts';

const pool = new VectorPool();
const particles = Array.from({ length: 40 }, (_, index) => ({ x: index * 1.5, y: 0.25, z: -index / 3 }));

export async function step(number: number): Promise<number> {
  let energy = 0;
  for (const particle of particles) {
    const velocity = pool.acquire(number * 0.01, particle.x * 0.5, 1.5);
    particle.x += velocity.x / 100;
    energy += velocity.x ** 2 + velocity.y ** 2 + velocity.z ** 2;
    pool.release(velocity);
  }
  return energy;
}
