/** How much a frame has changed, in steps that have a colour: the scale of differential graphs. */

/** Bounds of the steps in points (shares of the whole), the same up and down; below the first nothing has changed. */
export const CHANGE_STEPS: readonly number[] = [0.001, 0.005, 0.02, 0.05];

/** −4 (much less than before) to 4 (much more); 0 for about the same. */
export function changeStep(shareBefore: number, shareAfter: number): number {
  const points = shareAfter - shareBefore;
  const size = Math.abs(points);
  let step = 0;
  while (step < CHANGE_STEPS.length && size >= (CHANGE_STEPS[step] as number)) step += 1;
  // Nothing is 0, and not −0.
  return points < 0 ? 0 - step : step;
}

/** `+3.2 points, ×1.41`; the factor is of the shares, and left out where there was nothing before or is nothing now. */
export function describeChange(shareBefore: number, shareAfter: number): string {
  const points = (shareAfter - shareBefore) * 100;
  const sign = points > 0 ? '+' : points < 0 ? '−' : '±';
  const size = `${sign}${Math.abs(points).toFixed(2)} points`;
  if (shareBefore === 0) return shareAfter === 0 ? size : `${size}, new`;
  if (shareAfter === 0) return `${size}, gone`;
  return `${size}, ×${(shareAfter / shareBefore).toFixed(2)}`;
}
