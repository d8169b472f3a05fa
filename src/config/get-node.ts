/** The way to a Node. What looks for one is only loaded by who needs it: most commands do not, and it costs milliseconds. */

export interface FoundNode {
  readonly path: string;
  /** Such as `24.21.0`. */
  readonly version: string;
}

/** The Node for `wanted` (`24`, `22.11`; null: the caller's own). Throws DROVER_NODE_MISSING. */
export const getNode = async (
  wanted: string | null,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<FoundNode> => {
  const { findNode } = await import('./find-node.ts');
  return findNode(wanted, env, cwd);
};
