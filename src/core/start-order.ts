/** In which order apps start, from `dependsOn`. A wrong wish (a cycle, an app that is not there) is a value, not an error. */

export interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

export type StartOrder =
  /** Apps of one wave start together, each wave when the one before is ready. Stopping goes backwards. */
  | { readonly kind: 'waves'; readonly waves: readonly (readonly string[])[] }
  /** Each waits for the next, the last for the first. */
  | { readonly kind: 'cycle'; readonly cycle: readonly string[] }
  | { readonly kind: 'unknown'; readonly app: string; readonly dependsOn: string };

/** Among apps that all wait for one another, follows first wishes until a name comes round again. */
const findCycle = (stuck: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  const path: string[] = [];
  let name = [...stuck.keys()][0]!;
  while (!path.includes(name)) {
    path.push(name);
    // Every stuck app waits for at least one that is stuck as well.
    name = stuck.get(name)!.find((wish) => stuck.has(wish))!;
  }
  return path.slice(path.indexOf(name));
};

/** Waves in which every app comes after all that it depends on; names within a wave keep the order given. */
export const startOrder = (apps: readonly Dependent[]): StartOrder => {
  const waiting = new Map(apps.map(({ name, dependsOn }) => [name, dependsOn]));
  for (const { name, dependsOn } of apps) {
    const unknown = dependsOn.find((wish) => !waiting.has(wish));
    if (unknown !== undefined) return { kind: 'unknown', app: name, dependsOn: unknown };
  }
  const waves: string[][] = [];
  while (waiting.size > 0) {
    const wave = [...waiting].filter(([, wishes]) => !wishes.some((wish) => waiting.has(wish))).map(([name]) => name);
    if (wave.length === 0) return { kind: 'cycle', cycle: findCycle(waiting) };
    for (const name of wave) waiting.delete(name);
    waves.push(wave);
  }
  return { kind: 'waves', waves };
};
