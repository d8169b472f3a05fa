/** Time and randomness are arguments (STYLE.md rule 3): whatever waits or records takes a {@link Clock}. */
export interface Clock {
  /** For waits and measured durations; never goes back. */
  readonly monotonicMs: () => number;
  /** For records that people read; may jump. */
  readonly wallMs: () => number;
}
