/**
 * Property accesses that meet so many shapes of objects that V8 gives up remembering them (more than 4), from its log
 * (`--log-ic`), where they matter: on lines of the application with at least 8 % of the busy time of the profile
 * beside it. Without a profile only what was met with at least 8 shapes is named, and as a small matter. Accesses by a
 * computed key (`map[key]`) are left out: many keys are what they are for.
 */
import type { PropertySite, V8Log } from '../read/v8-log.ts';
import { type Finding, MOST_PLACES, nameOf, type Place, severityOf } from './finding.ts';
import { findInProfile, isOwnFile, shareOfLines } from './log-place.ts';
import type { Sight } from './sight.ts';

const LEAST_SHARE = 0.08;
const FEWEST_SHAPES = 5;
/** What has no time beside it must be plain. */
export const FEWEST_SHAPES_ALONE = 8;

interface Group {
  readonly place: Place;
  readonly share: number | null;
  readonly sites: PropertySite[];
}

export const findMegamorphic = (log: V8Log, sight: Sight | null): Finding[] =>
  listGroups(log, sight)
    .filter(({ share, sites }) =>
      sight === null ? sites.some(({ shapes }) => shapes >= FEWEST_SHAPES_ALONE) : (share ?? 0) >= LEAST_SHARE,
    )
    .sort((a, b) => (b.share ?? 0) - (a.share ?? 0) || mostShapes(b) - mostShapes(a))
    .slice(0, MOST_PLACES)
    .map((group) => describe(group, sight));

const mostShapes = ({ sites }: Group): number => Math.max(...sites.map(({ shapes }) => shapes));

function listGroups({ sites }: V8Log, sight: Sight | null): Group[] {
  const groups = new Map<string, Group>();
  for (const site of sites) {
    if (site.state !== 'megamorphic' && site.state !== 'generic') continue;
    if (site.access.startsWith('Keyed') || site.shapes < FEWEST_SHAPES || !isOwnFile(site.url)) continue;
    const { place, share } = findInProfile(site, sight);
    const key = `${place.url}:${place.line}:${place.name}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { place, share, sites: [] }));
    group.sites.push(site);
  }
  if (sight === null) return [...groups.values()];
  // Lines are what is asked about: one such access beside a hot loop of the same function is none in the loop.
  return [...groups.values()].map((group) => {
    const share = shareOfLines(sight, group.place, new Set(group.sites.map(({ line }) => line)));
    return { ...group, share };
  });
}

function describe({ place, share, sites }: Group, sight: Sight | null): Finding {
  const sorted = sites.toSorted((a, b) => b.shapes - a.shapes);
  const first = sorted[0] as PropertySite;
  const where = { ...place, hotLine: first.line };
  return {
    id: 'megamorphic',
    title: `${nameOf(where)} meets objects of ${first.shapes === 64 ? 'at least 64' : first.shapes} shapes at \`.${first.property}\``,
    severity: share === null ? 'low' : severityOf(share * 0.5),
    share,
    where,
    evidence: [
      ...sorted
        .slice(0, 4)
        .map(
          ({ property, line, column, shapes }) =>
            `\`.${property}\` at line ${line}, column ${column}: ${shapes} shapes`,
        ),
      ...(sight === null ? [] : sight.quote(where)),
      ...(share === null
        ? []
        : [
            `${(share * 100).toFixed(0)} % of the time in which the loop was busy was found on these lines, or on lines that call it`,
          ]),
    ],
    remedy: {
      text: 'Make the objects alike: all fields in one order from one constructor or literal, null where there is nothing, what differs in one field of its own. V8 remembers up to 4 shapes for each access.',
      code: [
        'const makeProduct = ({ id, cents, colour = null, size = null }) => ({ id, cents, colour, size });',
        '// instead of: const product = {}; if (colour) product.colour = colour; product.cents = cents;',
      ].join('\n'),
    },
    expectedGain:
      share === null
        ? null
        : {
            from: 0,
            to: share * 0.6,
            basis:
              'an access that V8 remembers costs a third or less of one that it looks up; what else the function does stays',
          },
  };
}
