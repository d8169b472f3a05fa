/** Does one job on files of heaps, from reading them to the document; in this process. `engine.ts` does it in another one. */
import { randomBytes } from 'node:crypto';
import type { OnEngineProgress } from '../../input/index.ts';
import { findScripts } from '../passes/scripts.ts';
import { readSamplingProfile } from '../read/sampling-profile.ts';
import type {
  AnalyzeDocument,
  PathsDocument,
  QueryDocument,
  ReportCharts,
  StringsDocument,
} from '../report/documents.ts';
import { foldDominators } from '../report/dominator-chart.ts';
import { answerAnalyze, answerSampling } from './analyze.ts';
import type { Described } from './describe.ts';
import { findFileKind, loadHeap } from './load.ts';
import { openMaps } from './map-locations.ts';
import { answerPaths, type PathsWish } from './paths.ts';
import { findPlaces, type MapLocation } from './places.ts';
import { answerQuery, type QueryWish } from './query.ts';
import { answerStrings, type StringsWish } from './strings.ts';

interface OfFile {
  readonly file: string;
  readonly isRedacted: boolean;
  /** Whether places are looked up in the source maps that lie beside the scripts on this machine. */
  readonly usesSourceMaps: boolean;
}

export type HeapJob =
  | ({ readonly kind: 'analyze'; readonly wantsCharts: boolean } & OfFile)
  | ({ readonly kind: 'paths' } & OfFile & PathsWish)
  | ({ readonly kind: 'query' } & OfFile & QueryWish)
  | ({ readonly kind: 'strings' } & OfFile & StringsWish);

/** What each kind of job is answered with. */
export interface HeapAnswers {
  readonly analyze: { readonly document: AnalyzeDocument; readonly charts: ReportCharts };
  readonly paths: PathsDocument;
  readonly query: QueryDocument;
  readonly strings: StringsDocument;
}

export type HeapAnswerTo<Job extends HeapJob> = HeapAnswers[Job['kind']];

export interface JobTools {
  readonly onProgress: OnEngineProgress;
  readonly signal?: AbortSignal;
}

const NO_CHARTS: ReportCharts = { dominators: null };
const UNMAPPED: MapLocation = () => null;

/**
 * Rejects with `BadFile`, `NotInSnapshot` (paths and query), an error of the file system, or the signal's reason. Nothing
 * in an answer is larger than it must be: see `report/documents.ts`.
 */
export const runHeapJob = async <Job extends HeapJob>(job: Job, tools: JobTools): Promise<HeapAnswerTo<Job>> =>
  (await answer(job, tools)) as HeapAnswerTo<Job>;

const answer = async (job: HeapJob, tools: JobTools): Promise<HeapAnswers[HeapJob['kind']]> => {
  const { file, isRedacted } = job;
  const openMapsOf = async (scripts: Iterable<string>): Promise<MapLocation> =>
    job.usesSourceMaps ? openMaps(scripts) : UNMAPPED;
  if (job.kind === 'analyze' && (await findFileKind(file)) === 'sampling') {
    const { onProgress, signal } = tools;
    const profile = await readSamplingProfile(file, {
      onProgress: (done, total) => onProgress('reading', done / total),
      ...(signal === undefined ? {} : { signal }),
    });
    const mapLocation = await openMapsOf(profile.tree.functions.map(({ scriptName }) => scriptName));
    return { document: answerSampling(profile, file, mapLocation, isRedacted), charts: NO_CHARTS };
  }
  const analysis = await loadHeap(file, { redactKey: isRedacted ? randomBytes(32) : null, ...tools });
  if (job.kind === 'strings') return answerStrings(analysis.graph, file, job, isRedacted);
  const mapLocation = await openMapsOf(findScripts(analysis.graph).values());
  const described: Described = { analysis, places: findPlaces(analysis.graph, mapLocation), isRedacted };
  if (job.kind === 'paths') return answerPaths(described, file, job);
  if (job.kind === 'query') return answerQuery(described, file, job);
  return {
    document: answerAnalyze(described, file, mapLocation),
    charts: job.wantsCharts ? { dominators: foldDominators(analysis) } : NO_CHARTS,
  };
};
