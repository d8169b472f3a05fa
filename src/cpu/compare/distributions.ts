/**
 * The few special functions that the statistics need, to about twelve digits: no package of the size of these hundred
 * lines is kept well enough to take instead. Sources: Abramowitz and Stegun, Handbook of Mathematical Functions (1964),
 * 6.1, 6.3, 6.4 and 26.5; the continued fraction of the incomplete beta by Lentz's method (Applied Optics 15, 1976).
 */

const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_59, 12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6,
  1.505_632_735_149_311_6e-7,
];

/** Natural logarithm of the gamma function, for x > 0 (Lanczos' approximation with g = 7). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  let sum = LANCZOS[0] ?? 1;
  for (let at = 1; at < LANCZOS.length; at++) sum += (LANCZOS[at] ?? 0) / (z + at);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Derivative of `logGamma`, for x > 0: by recurrence up to 10, then by the asymptotic series (6.3.18). */
export function digamma(x: number): number {
  let shifted = x;
  let value = 0;
  for (; shifted < 10; shifted += 1) value -= 1 / shifted;
  const inverse = 1 / (shifted * shifted);
  const series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse / 132))));
  return value + Math.log(shifted) - 0.5 / shifted - series;
}

/** Derivative of `digamma`, for x > 0 (6.4.12). */
export function trigamma(x: number): number {
  let shifted = x;
  let value = 0;
  for (; shifted < 10; shifted += 1) value += 1 / (shifted * shifted);
  const inverse = 1 / (shifted * shifted);
  const series = 1 / 6 - inverse * (1 / 30 - inverse * (1 / 42 - inverse * (1 / 30 - (5 * inverse) / 66)));
  return value + 1 / shifted + 0.5 * inverse + (inverse / shifted) * series;
}

/** The x > 0 with `trigamma(x) = y`, for y > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix). */
export function inverseTrigamma(y: number): number {
  if (y > 1e7) return 1 / Math.sqrt(y);
  if (y < 1e-6) return 1 / y;
  let x = 0.5 + 1 / y;
  for (let round = 0; round < 50; round++) {
    const value = trigamma(x);
    // The second derivative, by differences: only the speed of convergence depends on it.
    const width = 1e-4 * x;
    const slope = (trigamma(x + width) - trigamma(x - width)) / (2 * width);
    const step = (value * (1 - value / y)) / slope;
    x += step;
    if (-step / x < 1e-9) break;
  }
  return x;
}

/** Probability that Student's t with `freedom` degrees is at least as far from 0 as `t`; `Infinity` means the normal. */
export function twoSidedP(t: number, freedom: number): number {
  const size = Math.abs(t);
  if (Number.isNaN(size)) return 1;
  if (freedom > 1e7) return normalTail(size) * 2;
  return incompleteBeta(freedom / (freedom + size * size), freedom / 2, 0.5);
}

/** The t that is exceeded on both sides together with probability `p`, for 0 < p < 1. */
export function criticalT(p: number, freedom: number): number {
  let low = 0;
  let high = 1;
  while (twoSidedP(high, freedom) > p && high < 1e12) high *= 2;
  for (let round = 0; round < 100 && high - low > 1e-10 * high; round++) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, freedom) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Upper tail of the standard normal distribution, through the incomplete gamma function. */
function normalTail(z: number): number {
  const x = (z * z) / 2;
  if (x < 1.5) return 0.5 * (1 - gammaSeries(x));
  return 0.5 * gammaFraction(x);
}

/** Regularised lower incomplete gamma function P(1/2, x), as a series (6.5.29). */
function gammaSeries(x: number): number {
  if (x === 0) return 0;
  let term = 2;
  let sum = term;
  for (let n = 1; n < 500 && term > sum * 1e-16; n++) {
    term *= x / (0.5 + n);
    sum += term;
  }
  return sum * Math.exp(-x + 0.5 * Math.log(x) - logGamma(0.5));
}

/** Regularised upper incomplete gamma function Q(1/2, x), as a continued fraction (6.5.31). */
function gammaFraction(x: number): number {
  const a = 0.5;
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < 500; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / nonZero(factor * d + b);
    c = nonZero(b + factor / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return value * Math.exp(-x + a * Math.log(x) - logGamma(a));
}

/** Regularised incomplete beta function I_x(a, b). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return value;
}

/** Lentz's method must not divide by 0. */
const nonZero = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
