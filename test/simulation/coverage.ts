/**
 * In which moments of an operation's life which faults have changed something: the table that the command prints. A
 * cell without any is either impossible, and says why, or a hole in the histories.
 */
import { FAULTS, MOMENTS, type FaultKind, type Moment } from './history.ts';

const NOBODY_TO_HIT: ReadonlySet<FaultKind> = new Set([
  'daemon-dies',
  'daemon-dies-at-effect',
  'daemon-freezes',
  'guard-dies',
  'messages-lost',
]);
const ENDS: ReadonlySet<Moment> = new Set(['done', 'failed', 'stuck']);

/** Null: it could happen. */
export const whyEmpty = (moment: Moment, fault: FaultKind): string | null => {
  if (moment === 'no daemon') {
    if (fault === 'guard-dies-alone') return 'the guard is about to be the next daemon';
    if (NOBODY_TO_HIT.has(fault)) return 'it is the daemon that it hits';
    if (fault === 'boots-badly' || fault === 'leaves-badly')
      return 'without a daemon nobody is started, or asked to leave';
    if (fault === 'disk-full') return 'without a daemon nobody writes';
    if (fault === 'agent-lies') return 'without a daemon nobody hears it';
  }
  if (ENDS.has(moment) && fault === 'leaves-badly')
    return 'an operation has come to its end: until that is on record nobody is asked to leave for it';
  return null;
};

export const cellOf = (moment: Moment, fault: FaultKind): string => `${moment} × ${fault}`;

/** Cells that nothing has hit and nothing excuses. */
export const holes = (counts: ReadonlyMap<string, number>): readonly string[] =>
  MOMENTS.flatMap((moment) =>
    (Object.keys(FAULTS) as FaultKind[])
      .filter((fault) => !counts.has(cellOf(moment, fault)) && whyEmpty(moment, fault) === null)
      .map((fault) => cellOf(moment, fault)),
  );

const FIRST_WIDTH = 22;
const WIDTH = 10;

/** Lines of text; an excused cell has a letter, and the reasons follow. */
export const coverageTable = (counts: ReadonlyMap<string, number>): readonly string[] => {
  const reasons: string[] = [];
  const cell = (moment: Moment, fault: FaultKind): string => {
    const count = counts.get(cellOf(moment, fault));
    if (count !== undefined) return String(count);
    const why = whyEmpty(moment, fault);
    if (why === null) return 'NONE';
    if (!reasons.includes(why)) reasons.push(why);
    return `(${String.fromCodePoint(97 + reasons.indexOf(why))})`;
  };
  const rows = (Object.keys(FAULTS) as FaultKind[]).map((fault) =>
    [fault.padEnd(FIRST_WIDTH), ...MOMENTS.map((moment) => cell(moment, fault).padStart(WIDTH))].join(''),
  );
  const head = [''.padEnd(FIRST_WIDTH), ...MOMENTS.map((moment) => moment.padStart(WIDTH))].join('');
  return [head, ...rows, ...reasons.map((why, at) => `(${String.fromCodePoint(97 + at)}) ${why}`)];
};
