export interface Vector {
  x: number;
  y: number;
  z: number;
}

export class VectorPool {
  readonly #free: Vector[] = [];
  readonly #used: Vector[] = [];

  acquire(x: number, y: number, z: number): Vector {
    const vector = this.#used.pop() ?? { x: 0, y: 0, z: 0 };
    vector.x = x;
    vector.y = y;
    vector.z = z;
    return vector;
  }

  release(vector: Vector): void {
    this.#free.push(vector);
  }

  get size(): number {
    return this.#free.length;
  }
}
