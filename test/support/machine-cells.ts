/** What the tests of every state machine need of its table: its cells, those that were visited, and mutants of it. */
import assert from 'node:assert/strict';

type Cell = (...args: never[]) => unknown;
export type AnyTable = Readonly<Record<string, Readonly<Record<string, Cell>>>>;

/** `phase × column`, as the worlds note the cells that they visit. */
export const cellName = (phase: string, column: string): string => `${phase} × ${column}`;

/** Every cell that can happen was visited, and none that cannot. */
export const assertCoverage = (table: AnyTable, visited: ReadonlySet<string>): void => {
  const missed: string[] = [];
  const surprising: string[] = [];
  for (const [phase, row] of Object.entries(table)) {
    for (const [column, cell] of Object.entries(row)) {
      const name = cellName(phase, column);
      if (cell.name === 'unexpected' && visited.has(name)) surprising.push(name);
      if (cell.name !== 'unexpected' && !visited.has(name)) missed.push(`${name} (${cell.name})`);
    }
  }
  assert.deepEqual({ missed, surprising }, { missed: [], surprising: [] });
};

export interface Mutant<Table> {
  /** `phase × column: was → is`. */
  readonly name: string;
  readonly table: Table;
}

/** Each cell swapped for the different ones next to it: left, right, above and below. */
export const neighbourMutants = <Table extends AnyTable>(table: Table): readonly Mutant<Table>[] => {
  const phases = Object.keys(table);
  const columns = Object.keys(table[phases[0]!]!);
  const at = (row: number, column: number): Cell | undefined => table[phases[row]!]?.[columns[column]!];
  const mutants: Mutant<Table>[] = [];
  for (const [row, phase] of phases.entries()) {
    for (const [index, column] of columns.entries()) {
      const cell = at(row, index)!;
      const neighbours = new Set<Cell>();
      for (const [down, right] of [
        [0, -1],
        [0, 1],
        [-1, 0],
        [1, 0],
      ] as const) {
        const neighbour = phases[row + down] === undefined ? undefined : at(row + down, index + right);
        if (neighbour !== undefined && neighbour !== cell) neighbours.add(neighbour);
      }
      for (const neighbour of neighbours) {
        mutants.push({
          name: `${cellName(phase, column)}: ${cell.name} → ${neighbour.name}`,
          table: { ...table, [phase]: { ...table[phase], [column]: neighbour } },
        });
      }
    }
  }
  return mutants;
};
