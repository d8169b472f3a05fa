/**
 * The verdict on a profile: what was found, most severe first, and where time goes in any case. "Healthy" is an answer;
 * so is "too little to say": a profile with few samples at run time shows nothing, and must not be taken for a clean one.
 */
import type { CpuProfile } from '../model/profile.ts';
import type { V8Log } from '../read/v8-log.ts';
import { blockingWork } from './blocking-work.ts';
import { findDeoptLoops } from './deopt-loop.ts';
import type { Finding, Rule } from './finding.ts';
import { gc } from './gc.ts';
import { json } from './json.ts';
import { linearSearch } from './linear-search.ts';
import { logging } from './logging.ts';
import { FEWEST_SHAPES_ALONE, findMegamorphic } from './megamorphic.ts';
import { moduleLoading } from './module-loading.ts';
import { regexp, type RegExpJudge } from './regexp.ts';
import { bySeverity, Sight } from './sight.ts';
import { NO_SOURCE, type SourceLookup } from './source.ts';
import { stackTraces } from './stack-traces.ts';
import { syncCompression } from './sync-compression.ts';
import { syncCrypto } from './sync-crypto.ts';
import { syncIo } from './sync-io.ts';

/** Below this many samples of work at run time nothing can be said. */
const FEWEST_SAMPLES = 50;
const HOTSPOTS = 5;
const LEAST_HOTSPOT = 0.02;

export interface Hotspot {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  /** Part (0 to 1) of the busy time spent in the function itself. */
  readonly share: number;
}

export interface Diagnosis {
  readonly verdict: 'findings' | 'healthy' | 'inconclusive';
  /** Why, in a sentence. */
  readonly reason: string;
  readonly findings: readonly Finding[];
  /** Functions of the application and its dependencies by their own time, whether or not a rule knows what they do. */
  readonly hotspots: readonly Hotspot[];
  readonly runTime: {
    /** Milliseconds at run time, waiting included. */
    readonly wallMs: number;
    readonly busyMs: number;
    readonly samples: number;
    readonly isScript: boolean;
  };
}

export interface DiagnoseOptions {
  /** Lines of the files that the profile names; without it, what has no frame in V8 (JSON, searches in lists) stays unseen. */
  readonly source?: SourceLookup;
  /** What V8 wrote with `--log-deopt` and `--log-ic` while the profile was taken. */
  readonly log?: V8Log | null;
}

/** Judges a profile. Loads the analysis of regular expressions where the profile has some. */
export async function diagnose(
  profile: CpuProfile,
  { source = NO_SOURCE, log = null }: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const hasExpressions = source !== NO_SOURCE || profile.functions.some(({ name }) => name.startsWith('RegExp: '));
  const judge: RegExpJudge = hasExpressions ? (await import('./judge-regexp.ts')).judgeRegExp : () => null;
  return diagnoseWith(profile, { source, log, judge });
}

/** Judges V8's log alone: what it tells has no times, so that only what is sure without them is named. */
export function diagnoseLog(log: V8Log): Diagnosis {
  const findings = bySeverity([...findDeoptLoops(log, null), ...findMegamorphic(log, null)]);
  const rest = { findings, hotspots: [], runTime: { wallMs: 0, busyMs: 0, samples: 0, isScript: false } };
  if (findings.length > 0) return { verdict: 'findings', reason: sum(findings.length), ...rest };
  const reason = `no deoptimisation loops and no access with ${FEWEST_SHAPES_ALONE} shapes or more; with a profile beside it fewer would tell`;
  return { verdict: 'healthy', reason, ...rest };
}

interface Means {
  readonly source: SourceLookup;
  readonly log: V8Log | null;
  readonly judge: RegExpJudge;
}

/** The same with the means as they are: nothing is loaded, nothing is asked of the machine. */
export function diagnoseWith(profile: CpuProfile, { source, log, judge }: Means): Diagnosis {
  const sight = new Sight(profile, source);
  const { wallUs, busyUs, busyHits, isScript } = sight.runTime;
  const rules: readonly Rule[] = [
    syncIo,
    syncCrypto,
    syncCompression,
    json,
    regexp(judge),
    gc,
    moduleLoading,
    stackTraces,
    logging,
    linearSearch,
    blockingWork,
  ];
  const found = rules.flatMap((rule) => rule.find(sight));
  if (log !== null) found.push(...findDeoptLoops(log, sight), ...findMegamorphic(log, sight));
  const findings = bySeverity(dropExplained(found));
  const hotspots = listHotspots(sight);
  const runTime = { wallMs: wallUs / 1000, busyMs: busyUs / 1000, samples: busyHits, isScript };
  const rest = { findings, hotspots, runTime };
  if (findings.length > 0) return { verdict: 'findings', reason: sum(findings.length), ...rest };
  if (profile.unit === 'bytes') return { verdict: 'inconclusive', reason: 'the file counts bytes, not time', ...rest };
  const samples = profile.isChronological ? busyHits : Math.max(busyHits, profile.sampleCount ?? busyHits);
  if (samples < FEWEST_SAMPLES && busyUs > 0.05 * wallUs)
    return {
      verdict: 'inconclusive',
      reason: `only ${samples} samples at run time: profile for longer, under load`,
      ...rest,
    };
  if (busyHits === 0 && wallUs === 0)
    return { verdict: 'inconclusive', reason: 'the profile covers the start of the program only', ...rest };
  return { verdict: 'healthy', reason: 'nothing found that is worth a change', ...rest };
}

const sum = (count: number): string => (count === 1 ? 'one thing to change' : `${count} things to change`);

/** Long runs of a function that another finding explains are no finding of their own; nor is its garbage. */
function dropExplained(findings: readonly Finding[]): Finding[] {
  const explains = (finding: Finding, other: Finding): boolean =>
    other !== finding &&
    other.id !== 'blocking-work' &&
    other.id !== 'gc' &&
    other.where !== null &&
    other.where.name === finding.where?.name &&
    other.where.url === finding.where.url &&
    other.where.line === finding.where.line &&
    (other.share ?? 0) >= 0.5 * (finding.share ?? 0);
  return findings.filter(
    (finding) => finding.id !== 'blocking-work' || !findings.some((other) => explains(finding, other)),
  );
}

function listHotspots(sight: Sight): Hotspot[] {
  const us = new Map<number, number>();
  for (let node = 1; node < sight.profile.nodeCount; node += 1) {
    const { category } = sight.functionAt(node);
    if (category !== 'application' && category !== 'dependency') continue;
    const one = sight.profile.functionOf[node] as number;
    us.set(one, (us.get(one) ?? 0) + (sight.runTime.selfUs[node] as number));
  }
  return [...us]
    .sort(([, a], [, b]) => b - a)
    .slice(0, HOTSPOTS)
    .map(([one, own]) => {
      const { name, url, line } = sight.place(one);
      return { name, url, line, share: sight.share(own) };
    })
    .filter(({ share }) => share >= LEAST_HOTSPOT);
}
