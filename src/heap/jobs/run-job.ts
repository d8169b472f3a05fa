/** Does one job on files of heaps, from reading them to the document; in this process. `engine.ts` does it in another one. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { type OnEngineProgress, readSource } from '../../input/index.ts';
import { compareHeaps } from '../compare/compare-heaps.ts';
import { findSuspects } from '../judge/find-suspects.ts';
import type { Load } from '../judge/words.ts';
import { judgeHeaps, type JudgeOptions } from '../judge/judge-heaps.ts';
import type { HeapGraph } from '../model/graph.ts';
import { findScripts } from '../passes/scripts.ts';
import { readSamplingProfile } from '../read/sampling-profile.ts';
import type {
  AnalyzeDocument,
  DiffDocument,
  PathsDocument,
  QueryDocument,
  ReportCharts,
  StringsDocument,
} from '../report/documents.ts';
import { foldDominators } from '../report/dominator-chart.ts';
import { answerAnalyze, answerSampling } from './analyze.ts';
import type { Described } from './describe.ts';
import { analyze, findFileKind, loadAnalysis, loadGraph } from './load.ts';
import { openMaps } from './map-locations.ts';
import { nameAllocations } from './name-allocations.ts';
import { answerPaths, type PathsWish } from './paths.ts';
import { findPlaces, type MapLocation, type PlaceOptions } from './places.ts';
import { answerQuery, type QueryWish } from './query.ts';
import { answerStrings, type StringsWish } from './strings.ts';

/** Of a diff's table; there are a few thousand in a large program, most of which gained a handful of bytes. */
const MOST_CLASSES = 200;

interface Common {
  readonly isRedacted: boolean;
  /** Whether places are looked up in the source maps that lie beside the scripts on this machine. */
  readonly usesSourceMaps: boolean;
  /** Paths below it are written relative to it; null for whole paths. */
  readonly root: string | null;
}

interface OfFile extends Common {
  readonly file: string;
}

export type HeapJob =
  | ({ readonly kind: 'analyze'; readonly wantsCharts: boolean } & OfFile)
  | ({
      readonly kind: 'diff';
      readonly files: readonly string[];
      readonly wantsCharts: boolean;
      /** What was done from one file to the next, so that growth is told per thousand of it; null where nobody counted. */
      readonly load: Load | null;
    } & Common)
  | ({ readonly kind: 'paths' } & OfFile & PathsWish)
  | ({ readonly kind: 'query' } & OfFile & QueryWish)
  | ({ readonly kind: 'strings' } & OfFile & StringsWish);

/** What each kind of job is answered with. */
export interface HeapAnswers {
  readonly analyze: { readonly document: AnalyzeDocument; readonly charts: ReportCharts };
  readonly diff: { readonly document: DiffDocument; readonly charts: ReportCharts };
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
  // Random, so that nobody can find out by trying which text it was that a report does not show.
  const redactKey = job.isRedacted ? randomBytes(32) : null;
  if (job.kind === 'diff') return diff(job, redactKey, tools);
  if (job.kind === 'analyze' && (await findFileKind(job.file)) === 'sampling') return analyzeSampling(job, tools);
  const { file, isRedacted } = job;
  const load = { redactKey, ...tools };
  if (job.kind === 'strings') return answerStrings(await loadGraph(file, load), file, job, isRedacted);
  const analysis = await loadAnalysis(file, load);
  const { graph } = analysis;
  const options = await openPlaces(job, findScripts(graph).values());
  const described: Described = { analysis, places: findPlaces(graph, options), isRedacted };
  if (job.kind === 'paths') return answerPaths(described, file, job);
  if (job.kind === 'query') return answerQuery(described, file, job);
  tools.onProgress('looking for what is large', null);
  return {
    document: answerAnalyze(
      described,
      file,
      options,
      nameAllocations(findSuspects(graph, { ...toJudgeOptions(options), readSource }), graph, options),
    ),
    charts: job.wantsCharts ? { dominators: foldDominators(analysis) } : NO_CHARTS,
  };
};

const analyzeSampling = async (
  job: Extract<HeapJob, { readonly kind: 'analyze' }>,
  { onProgress, signal }: JobTools,
): Promise<HeapAnswers['analyze']> => {
  const profile = await readSamplingProfile(job.file, {
    onProgress: (done, total) => onProgress(`reading ${basename(job.file)}`, total === 0 ? null : done / total),
    ...(signal === undefined ? {} : { signal }),
  });
  const options = await openPlaces(
    job,
    profile.tree.functions.map(({ scriptName }) => scriptName),
  );
  return { document: answerSampling(profile, job.file, options, job.isRedacted), charts: NO_CHARTS };
};

const diff = async (
  job: Extract<HeapJob, { readonly kind: 'diff' }>,
  redactKey: Uint8Array | null,
  tools: JobTools,
): Promise<HeapAnswers['diff']> => {
  const { files, isRedacted, load } = job;
  const graphs: HeapGraph[] = [];
  for (const file of files) graphs.push(await loadGraph(file, { redactKey, ...tools }));
  const last = graphs.at(-1)!;
  tools.onProgress('comparing', null);
  const comparison = compareHeaps(graphs, { readSource });
  tools.signal?.throwIfAborted();
  tools.onProgress('judging', null);
  const options = await openPlaces(job, findScripts(last).values());
  const verdict = judgeHeaps(comparison, { ...toJudgeOptions(options), ...(load !== null && { load }) });
  const document: DiffDocument = {
    ...verdict,
    suspects: nameAllocations(verdict.suspects, last, options),
    files: files.map((file) => basename(file)),
    classes: comparison.classes.slice(0, MOST_CLASSES),
    isRedacted,
  };
  if (!job.wantsCharts) return { document, charts: NO_CHARTS };
  return { document, charts: { dominators: foldDominators(await analyze(last, files.at(-1)!, tools)) } };
};

const openPlaces = async ({ usesSourceMaps, root }: Common, scripts: Iterable<string>): Promise<PlaceOptions> => ({
  mapLocation: usesSourceMaps ? await openMaps(scripts) : UNMAPPED,
  root,
});

const toJudgeOptions = ({ mapLocation, root }: PlaceOptions): JudgeOptions => ({
  mapLocation: (location) => mapLocation(location) ?? undefined,
  ...(root === null ? {} : { root }),
});
