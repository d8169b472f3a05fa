/**
 * A cpuprofile of any size out of a real one: its tree stands under the root as often as a tenth of the size takes, as if
 * so many parts of a large program called the same libraries, and its samples go round through all of them.
 */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

interface Node {
  readonly id: number;
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Writes about `bytes` bytes to `file`, from the profile in `seed`. */
export async function writeLargeProfile(seed: string, file: string, bytes: number): Promise<void> {
  const { nodes, startTime, samples, timeDeltas } = JSON.parse(readFileSync(seed, 'utf8')) as Profile;
  const [root, ...others] = nodes as [Node, ...Node[]];
  const span = Math.max(...nodes.map(({ id }) => id)) + 1;
  const copies = Math.max(1, Math.round((bytes * 0.1) / JSON.stringify(nodes).length));
  await using output = await open(file, 'w');
  let written = 0;
  const write = async (text: string): Promise<void> => {
    written += Buffer.byteLength(text);
    await output.write(text);
  };
  const children: number[] = [];
  for (let copy = 0; copy < copies; copy += 1)
    for (const child of root.children ?? []) children.push(child + copy * span);
  await write(`{"nodes":[${JSON.stringify({ ...root, children })}`);
  for (let copy = 0; copy < copies; copy += 1) {
    const moved = others.map((node) => ({
      ...node,
      id: node.id + copy * span,
      ...(node.children === undefined ? {} : { children: node.children.map((id) => id + copy * span) }),
    }));
    await write(`,${JSON.stringify(moved).slice(1, -1)}`);
  }
  // The root has no copies; what ran in it goes to the first.
  const rounds: string[] = [];
  for (let copy = 0; copy < copies; copy += 1)
    rounds.push(samples.map((id) => (id === root.id ? id : id + copy * span)).join(','));
  const deltas = timeDeltas.map((delta) => Math.max(delta, 0)).join(',');
  const roundBytes = rounds.reduce((sum, round) => sum + round.length, 0) / copies + deltas.length;
  const count = Math.max(1, Math.round((bytes - written) / roundBytes));
  await write(`],"startTime":${startTime},"endTime":${startTime + 1e12},"samples":[`);
  for (let round = 0; round < count; round += 1) await write(`${round === 0 ? '' : ','}${rounds[round % copies]}`);
  await write('],"timeDeltas":[');
  for (let round = 0; round < count; round += 1) await write(`${round === 0 ? '' : ','}${deltas}`);
  await write(']}');
}
