/**
 * Run in a network namespace of its own by `os-dispatch.test.ts`: prints which socket of a sticky group each client
 * address gets. Arguments: the level, then the addresses.
 */
import { ATTACH_STICKY, Group, SIZE } from './os-group.ts';

const [level = '', ...addresses] = process.argv.slice(2);
const places: number[] = [];
{
  using group = new Group(SIZE, '::');
  ATTACH_STICKY[level]?.(group);
  for (const address of addresses) places.push(await group.placeOf('::1', address));
}
process.stdout.write(JSON.stringify(places));
process.exit();
