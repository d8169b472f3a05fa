/**
 * What a finding is: one conclusion from a profile (and V8's log, where there is one), with where it is, what shows it,
 * what to change, and what that would bring. A rule is a pure function from a `Sight` to findings.
 */
import type { Sight } from './sight.ts';

export const FINDING_IDS = [
  'sync-io',
  'sync-crypto',
  'sync-compression',
  'json',
  'regexp',
  'gc',
  'module-loading',
  'stack-traces',
  'logging',
  'deopt-loop',
  'megamorphic',
  'blocking-work',
  'linear-search',
] as const;
export type FindingId = (typeof FINDING_IDS)[number];

export const SEVERITIES = ['high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Place {
  readonly name: string;
  readonly url: string;
  /** Where the function begins, from 1; 0 where unknown. */
  readonly line: number;
  /** The line in it that does it, where the profile or the source tells; null otherwise. */
  readonly hotLine: number | null;
}

export interface Remedy {
  readonly text: string;
  /** A few lines that show the change; to be adapted. */
  readonly code: string;
}

export interface ExpectedGain {
  /** Parts (0 to 1) of the time in which the loop is busy that the remedy would free: at least and at most. */
  readonly from: number;
  readonly to: number;
  /** How it was estimated. */
  readonly basis: string;
}

export interface Finding {
  readonly id: FindingId;
  readonly title: string;
  readonly severity: Severity;
  /** Part (0 to 1) of the time in which the loop was busy; null where only a log was there, which has no times. */
  readonly share: number | null;
  /** The function of the application that is behind it; of a dependency or of Node where no application is on the stack. */
  readonly where: Place | null;
  readonly evidence: readonly string[];
  readonly remedy: Remedy;
  readonly expectedGain: ExpectedGain | null;
}

export interface Rule {
  readonly id: FindingId;
  readonly find: (sight: Sight) => readonly Finding[];
}

/** How many findings of one rule are worth reading; the places after them are named in the evidence of the last. */
export const MOST_PLACES = 3;

/** The bounds of severity are a matter of taste, and the same for all: a third of the loop, or a tenth. */
export const severityOf = (share: number): Severity => (share >= 0.3 ? 'high' : share >= 0.1 ? 'medium' : 'low');

export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

export const milliseconds = (us: number): string =>
  us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;

/** How a text calls it: `priceOf`, or `the function at server.js:12` where it has no name. */
export const nameOf = ({ name, url, line }: Pick<Place, 'name' | 'url' | 'line'>): string =>
  name !== '' && name !== '(anonymous)' ? name : `the function at ${url.replace(/^.*[/\\]/, '') || 'no file'}:${line}`;
