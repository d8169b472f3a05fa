/** Where in a JSON file a reader is, in words for messages. */
import type { ArrayShape, NumbersShape, ObjectShape } from './json-shape.ts';

/** A shape with something inside. */
export type Container = ObjectShape | ArrayShape | NumbersShape;

/**
 * `nodes[17].callFrame.url`, as far as it goes through fields that the shape names.
 *
 * @param containers What is open, outermost first. @param places Per container: the field or item that is being read.
 */
export function describePath(containers: readonly Container[], places: readonly number[]): string {
  let path = '';
  for (const [depth, container] of containers.entries()) {
    const place = places[depth] ?? -1;
    // A cycle of shapes (a tree in a file) can be as deep as the file likes.
    if (path.length > 200) return `${path}…`;
    if (container.kind !== 'object') path += `[${place}]`;
    else if (place !== -1) path += `${path === '' ? '' : '.'}${container.fields[place]?.name ?? ''}`;
  }
  return path;
}
