/**
 * What moves many functions at once: a neighbour on the machine that takes memory bandwidth makes everything slower that
 * waits for memory, a hotter day everything. Such factors are not recorded, but they are seen: in the functions themselves.
 * They are estimated as principal components of all functions' variation within the sides, and each function is compared
 * with their help by analysis of covariance. After J. T. Leek and J. D. Storey, "Capturing heterogeneity in gene expression
 * studies by surrogate variable analysis", PLoS Genetics 3, 2007, and J. A. Gagnon-Bartsch and T. P. Speed, "Using control
 * genes to correct for unwanted variation in microarray data", Biostatistics 13, 2012, who take functions that cannot have
 * changed as controls; here every function has all the others as its controls, so that its own change is in no factor.
 */

export interface FactorInput {
  /** Per function, a value a window. */
  readonly values: readonly Float64Array[];
  /** The same, less the mean of the window's side. */
  readonly residuals: readonly Float64Array[];
  /** Per function: what its residuals are divided by, so that each counts for about as much as the next. */
  readonly scales: readonly number[];
  /** Functions that are known to have changed: controls of nobody. */
  readonly without: ReadonlySet<number>;
}

/** How many factors that many windows of that many functions can show at most. */
export function mostFactors(windows: number, functions: number): number {
  const byWindows = windows < 12 ? 0 : windows < 16 ? 1 : windows < 20 ? 2 : 3;
  return Math.min(byWindows, Math.floor(functions / 10));
}

/** Factors of windows, for one function after the other. */
export class Factors {
  readonly #input: FactorInput;
  /** Windows by windows: products of residuals, and of values with residuals, summed over the controls. */
  readonly #within: Float64Array;
  readonly #across: Float64Array;
  readonly #windows: number;
  readonly #centered: readonly Float64Array[];

  constructor(input: FactorInput) {
    this.#input = input;
    this.#windows = input.values[0]?.length ?? 0;
    this.#centered = input.values.map((value) => {
      const mean = value.reduce((sum, one) => sum + one, 0) / value.length;
      return value.map((one) => one - mean);
    });
    this.#within = new Float64Array(this.#windows ** 2);
    this.#across = new Float64Array(this.#windows ** 2);
    for (const at of input.values.keys()) if (!input.without.has(at)) this.#add(at, 1, this.#within, this.#across);
  }

  /** Scores of the `count` strongest factors, an entry a window, as every function but this one shows them. */
  scoresFor(at: number, count: number): Float64Array[] {
    if (count === 0) return [];
    let [within, across] = [this.#within, this.#across];
    if (!this.#input.without.has(at)) {
      [within, across] = [within.slice(), across.slice()];
      this.#add(at, -1, within, across);
    }
    return leadingVectors(within, this.#windows, count).map((vector) => multiply(across, vector));
  }

  #add(at: number, sign: 1 | -1, within: Float64Array, across: Float64Array): void {
    const residual = this.#input.residuals[at];
    const value = this.#centered[at];
    if (residual === undefined || value === undefined) return;
    const weight = sign / (this.#input.scales[at] ?? 1) ** 2;
    const size = this.#windows;
    for (let row = 0; row < size; row++) {
      const [one, other] = [weight * (residual[row] ?? 0), weight * (value[row] ?? 0)];
      for (let column = 0; column < size; column++) {
        const entry = row * size + column;
        within[entry] = (within[entry] ?? 0) + one * (residual[column] ?? 0);
        across[entry] = (across[entry] ?? 0) + other * (residual[column] ?? 0);
      }
    }
  }
}

/** Enough to part a component from one half as large to nine digits; where two are as large, any mixture of them will do. */
const ROUNDS = 30;

/** Eigenvectors of a symmetric matrix without negative eigenvalues, largest first, by orthogonal iteration. */
function leadingVectors(matrix: Float64Array, size: number, count: number): Float64Array[] {
  // Any start that is not orthogonal to the answer will do; a fixed one gives the same answer every time.
  let vectors: Float64Array[] = Array.from({ length: count }, (_, which) =>
    Float64Array.from({ length: size }, (_, at) => Math.cos((at + 1) * (which + 1.3) * 1.7)),
  );
  for (let round = 0; round < ROUNDS; round++) vectors = orthonormal(vectors.map((vector) => multiply(matrix, vector)));
  return vectors;
}

/** Gram and Schmidt; what depends on those before it becomes 0. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const left = vector.slice();
    for (const other of done) {
      const part = dot(left, other);
      for (let at = 0; at < left.length; at++) left[at] = (left[at] ?? 0) - part * (other[at] ?? 0);
    }
    const length = Math.sqrt(dot(left, left));
    done.push(length > 1e-12 * Math.sqrt(dot(vector, vector)) ? left.map((one) => one / length) : left.fill(0));
  }
  return done;
}

function multiply(matrix: Float64Array, vector: Float64Array): Float64Array {
  const size = vector.length;
  return vector.map((_, row) => {
    let sum = 0;
    for (let column = 0; column < size; column++) sum += (matrix[row * size + column] ?? 0) * (vector[column] ?? 0);
    return sum;
  });
}

export function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0);
  return sum;
}

export interface Fit {
  /** Difference of the sides, the factors held. */
  readonly difference: number;
  /** What the difference is of the values: the sum of each window's value times this. */
  readonly contrast: Float64Array;
  readonly residuals: Float64Array;
  /** Windows less what was fitted. */
  readonly freedom: number;
}

/**
 * Least squares of values on the side of each window and the factors. The factors are made orthogonal to one another and to
 * the constant first, the side last, so that its coefficient is a plain projection.
 */
export function fitDifference(values: Float64Array, sides: Float64Array, factors: readonly Float64Array[]): Fit {
  const constant = new Float64Array(values.length).fill(1);
  const basis = orthonormal([constant, ...factors, sides]);
  const side = basis.at(-1) ?? constant;
  const scale = dot(side, sides);
  const contrast = side.map((one) => (scale === 0 ? 0 : one / scale));
  const residuals = values.slice();
  for (const vector of basis) {
    const part = dot(values, vector);
    for (let at = 0; at < residuals.length; at++) residuals[at] = (residuals[at] ?? 0) - part * (vector[at] ?? 0);
  }
  const freedom = values.length - basis.filter((vector) => dot(vector, vector) > 0.5).length;
  return { difference: dot(contrast, values), contrast, residuals, freedom };
}
