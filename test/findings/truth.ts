/**
 * What is true of each program under test/fixtures/findings: the function that is behind it, and the lines that do it. Read
 * in the programs, not in what the rules say.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { FindingId } from '../../src/cpu/index.ts';

export interface Case {
  readonly id: FindingId;
  /** `sync-io/template-per-request`. */
  readonly name: string;
  readonly shows: string;
  readonly twin: string;
  /** Functions any of which is the right one: where one hands work to another, both are to blame. */
  readonly functions: readonly string[];
  /** Lines any of which is the right one; empty where no line is. */
  readonly lines: readonly number[];
  /** What the file of the place ends in. */
  readonly file: string;
}

type Truth = readonly [functions: readonly string[], lines: readonly number[], file?: string];

const TRUTH: Readonly<Record<string, Truth>> = {
  'blocking-work/shortest-way': [['shortestWays'], [8, 9, 10, 11, 12, 13, 14]],
  'blocking-work/thumbnails': [['scaleDown'], [11, 12, 13, 14, 15]],
  'blocking-work/yearly-report': [['byShop'], [10, 11, 12, 13]],
  'deopt-loop/filters-from-text': [['(anonymous)', 'anonymous'], [3, 4], ''],
  'deopt-loop/plugin-per-request': [['area', '(anonymous)'], [3], 'plugin.cjs'],
  'deopt-loop/tenant-formulas': [['total', '(anonymous)'], [1], '/formulas/total.js'],
  'gc/groups-of-visits': [['group'], [8, 9, 10, 11]],
  'gc/reports-of-rows': [['report'], [7, 8, 9, 10]],
  'gc/sessions-in-lists': [['add'], [8, 9, 10, 11]],
  'json/cache-of-strings': [['get'], [13]],
  'json/clone-of-settings': [['settingsFor'], [9]],
  'json/order-bodies': [['parse'], [], 'body-parser/lib/types/json.js'],
  'json/whole-catalogue': [['sendCatalogue'], [13]],
  'linear-search/cart-prices': [['priceOf'], [8]],
  'linear-search/permissions': [['mayRead'], [7]],
  'linear-search/unique-tags': [['unique'], [8]],
  'logging/debug-in-loop': [['priceOrder'], [10]],
  'logging/dump-of-requests': [['(anonymous)'], [5]],
  'logging/own-logger': [['log'], [5]],
  'megamorphic/kinds-of-events': [['add'], [20]],
  'megamorphic/optional-fields': [['priceOf'], [17]],
  'megamorphic/rows-of-tables': [['newest'], [15]],
  'module-loading/compiled-templates': [['compile'], [9]],
  'module-loading/locale-by-import': [['greet'], [7]],
  'module-loading/rules-anew': [['loadRules'], [8, 9]],
  'regexp/csv-columns': [['matches'], [13]],
  'regexp/mail-address': [['isAddress'], [7]],
  'regexp/trailing-space': [['tidy'], [6]],
  'stack-traces/errors-as-answers': [
    ['lookUp', 'find'],
    [9, 13, 15],
  ],
  'stack-traces/logger-with-callers': [['debug'], [8]],
  'stack-traces/own-prepare': [
    ['ValidationError', '(anonymous)', 'Error.prepareStackTrace'],
    [9, 14, 15, 24, 25],
  ],
  'sync-compression/brotli-page': [['(anonymous)'], [10]],
  'sync-compression/gzip-answer': [['compressed'], [8]],
  'sync-compression/import-archive': [['readLine'], [8]],
  'sync-crypto/api-keys': [['requireKey'], [9]],
  'sync-crypto/etag-of-download': [['tagOf'], [7]],
  'sync-crypto/password-login': [['checkPassword'], [9]],
  'sync-crypto/signed-receipts': [['issue'], [10]],
  'sync-io/folder-listing': [['list'], [10]],
  'sync-io/orders-to-disk': [['saveOrder'], [12, 14, 15]],
  'sync-io/template-per-request': [['renderPage'], [8]],
  'sync-io/version-by-command': [['(anonymous)'], [8]],
};

/** Of the pairs that were written after the rules, and are judged by the campaign alone. */
const UNSEEN: Readonly<Record<string, Truth>> = {
  'blocking-work/similar-names': [
    ['distance', 'suggest'],
    [6, 7, 8, 9, 10, 11, 12, 21, 22],
  ],
  'gc/copies-for-undo': [['move'], [8, 9, 10, 11, 12]],
  'json/changed-state': [['tellChanges'], [16]],
  'linear-search/queue-of-jobs': [['mark'], [8]],
  'logging/inspected-sessions': [['write'], [12]],
  'module-loading/rules-by-eval': [['priceBy'], [9]],
  'regexp/words-and-colon': [['parseLine'], [5]],
  'stack-traces/assertions-as-checks': [['name', 'age', 'mail', 'zip', 'problemsOf'], []],
  'sync-crypto/webhook-bodies': [['isFrom'], [9]],
  'sync-io/avatar-copies': [
    ['/', '(anonymous)', 'api./'],
    [16, 17],
  ],
};

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const ROOT = join(FIXTURES, 'findings');

/** Every pair there is; a pair without a truth, or a truth without a pair, is a mistake of ours and throws. */
export const listCases = (): Case[] => list(ROOT, TRUTH);

/** The pairs that were written after the rules. */
export const listUnseen = (): Case[] => list(join(FIXTURES, 'findings-unseen'), UNSEEN);

function list(root: string, truths: Readonly<Record<string, Truth>>): Case[] {
  const names = globSync('*/*/shows.mjs', { cwd: root }).map((path) => path.replace('/shows.mjs', ''));
  const lost = Object.keys(truths).find((name) => !names.includes(name));
  if (lost !== undefined) throw new Error(`no program for ${lost}`);
  return names.toSorted().map((name) => {
    const truth = truths[name];
    if (truth === undefined) throw new Error(`no truth about ${name}`);
    const [functions, lines, file = `${name}/shows.mjs`] = truth;
    const [shows, twin] = [join(root, name, 'shows.mjs'), join(root, name, 'twin.mjs')];
    return { id: name.split('/')[0] as FindingId, name, shows, twin, functions, lines, file };
  });
}

/** Ordinary services that are well. */
export const listHealthy = (): string[] =>
  globSync('healthy/*.mjs', { cwd: ROOT, exclude: ['**/*.load.mjs'] }).map((path) => join(ROOT, path));
