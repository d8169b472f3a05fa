/**
 * Cryptography that holds the loop. Key derivation is made to be slow, so 3 % of it is a finding; hashes, signatures and
 * ciphers are one from 5 % on where single calls are long (3 ms and several samples in a row: short hashes in every request
 * are what they are for), or where they are 40 % of all that is done.
 */
import { type Finding, milliseconds, nameOf, percent, type Rule, severityOf } from './finding.ts';
import { describeParts, type Sight, type Site } from './sight.ts';

const DERIVATION =
  /^(?:pbkdf2Sync|scryptSync|hkdfSync|argon2Sync|generateKeyPairSync|generateKeySync|generatePrimeSync|checkPrimeSync)$/;
/** The asynchronous forms: what they do on the loop is to begin and to end, which is not to be mended. */
const ASYNC =
  /^(?:pbkdf2|scrypt|hkdf|argon2|generateKeyPair|generateKey|generatePrime|checkPrime|randomFill|randomInt|asyncRandom\w*|[\w.]*[aA]sync\w*|(?:[\w.]+\.)?ondone)$/;
const LEAST_DERIVATION = 0.03;
const LEAST_SHARE = 0.05;
const LONG_US = 3000;
const WHATEVER_LENGTH = 0.4;
/** And only where the machine is kept busy by it. */
const LEAST_OF_WALL = 0.1;

export const syncCrypto: Rule = {
  id: 'sync-crypto',
  find: (sight) => {
    const isDerivation = (top: number): boolean => DERIVATION.test(sight.functionAt(top).name);
    const isOther = (top: number): boolean => !isDerivation(top) && !isAsynchronous(sight, top);
    return [
      ...sight.pick(sight.collectKind('crypto', isDerivation), LEAST_DERIVATION),
      ...sight.pick(sight.collectKind('crypto', isOther), LEAST_SHARE).filter(({ site }) => isMuch(sight, site)),
    ].map((picked) => describe(sight, picked));
  },
};

/** By its name, or because `promisify` called it: `sign` is one function, with and without a callback. */
function isAsynchronous(sight: Sight, top: number): boolean {
  if (ASYNC.test(sight.functionAt(top).name)) return true;
  const caller = sight.functionAt(sight.profile.parent[top] as number);
  return caller.url === 'node:internal/util';
}

function isMuch(sight: Sight, site: Site): boolean {
  if (sight.isLong(site.nodes, LONG_US)) return true;
  if (/^(?:sign|verify)OneShot$/.test(mainCall(site))) return false;
  return sight.share(site.us) >= WHATEVER_LENGTH && site.us >= LEAST_OF_WALL * sight.runTime.wallUs;
}

const mainCall = (site: Site): string => [...site.by].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';

function describe(sight: Sight, { site, rest }: { readonly site: Site; readonly rest: readonly Site[] }): Finding {
  const share = sight.share(site.us + rest.reduce((sum, one) => sum + one.us, 0));
  const call = mainCall(site);
  const where = sight.place(site.owner, null, callPattern(call));
  const runs = sight.runsOf(site.nodes);
  return {
    id: 'sync-crypto',
    title: `${nameOf(where)} computes ${DERIVATION.test(call) ? 'keys' : 'cryptography'} on the event loop (${call})`,
    severity: runs.typicalUs >= 50_000 ? 'high' : severityOf(share),
    share,
    where,
    evidence: [
      `${describeParts(site.by)}: ${percent(sight.share(site.us))} of the time in which the loop was busy (${milliseconds(site.us)}, ${Math.round(site.hits)} samples), called from ${nameOf(where)}`,
      ...sight.quote(where),
      ...(runs.count === 0
        ? []
        : [`${milliseconds(runs.typicalUs)} in a row as a rule, ${milliseconds(runs.longestUs)} at the longest`]),
      ...rest.slice(0, 4).map((one) => `also ${nameOf(sight.place(one.owner))}: ${percent(sight.share(one.us))}`),
    ],
    remedy: DERIVATION.test(call) ? DERIVING : HASHING,
    expectedGain: {
      from: share * 0.8,
      to: share,
      basis:
        'the asynchronous form works in the thread pool, the loop only starts it; the machine computes as much as before',
    },
  };
}

/** How the application wrote the call that Node's own function is behind. */
const callPattern = (call: string): RegExp =>
  /^(?:update|digest|Hash|Hmac|Cipheriv|Decipheriv|final)$/.test(call)
    ? /\bcreate(?:Hash|Hmac|Cipheriv|Decipheriv)\b|\.update\(|\bhash\(/
    : call === 'signOneShot' || call === 'verifyOneShot'
      ? /\b(?:sign|verify)\(/
      : new RegExp(`\\b${call.replace(/Sync$/, '(?:Sync)?')}\\b`);

const DERIVING = {
  text: 'Use the asynchronous form: it works in the thread pool (4 threads unless UV_THREADPOOL_SIZE says otherwise), and the loop goes on serving. Limit how many run at a time.',
  code: [
    "import { scrypt } from 'node:crypto';",
    "import { promisify } from 'node:util';",
    'const derive = promisify(scrypt); // pbkdf2 the same way',
    'const key = await derive(password, salt, 64);',
  ].join('\n'),
};

const HASHING = {
  text: 'Do not hash or sign big or unchanging content for each request: keep the result beside the content, hash streams as they pass, give `sign` a callback, or leave it to a worker thread.',
  code: [
    "const tag = createHash('sha256').update(file).digest('base64url'); // once, when the file changes",
    '// signatures: the form with a callback works in the thread pool',
    "const signature = await promisify(sign)('sha256', bytes, privateKey);",
  ].join('\n'),
};
