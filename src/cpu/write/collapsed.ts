/**
 * Writes collapsed stacks: `main;render (file:///app/a.js:3:14) 1234`, a line for every stack, whole microseconds. The
 * first line tells the unit to this reader; flamegraph.pl, inferno and speedscope pass over it.
 */
import type { CpuProfile } from '../model/profile.ts';
import { listWeighted, stackOf } from './stacks.ts';

export function* writeCollapsed(profile: CpuProfile): Generator<string, void, undefined> {
  const frames = profile.functions.map((fn) => writeFrame(fn));
  if (profile.unit !== 'samples') yield `# unit: ${profile.unit}\n`;
  for (const node of listWeighted(profile)) {
    const weight = Math.round(profile.selfUs[node] as number);
    const stack = stackOf(profile, node).map((fn) => frames[fn] as string);
    // Time of the root itself has no other name.
    if (weight > 0) yield `${stack.length === 0 ? '(root)' : stack.join(';')} ${weight}\n`;
  }
}

/** Semicolons and line ends part frames and stacks here, so names cannot keep them; nor can a frame be nothing. */
const writeFrame = ({ name, url, line, column }: CpuProfile['functions'][number]): string => {
  const place = [url, ...(line > 0 ? [line] : []), ...(line > 0 && column > 0 ? [column] : [])].join(':');
  const text = `${name.trim() || '(anonymous)'}${url === '' ? '' : ` (${place})`}`;
  return text.replaceAll(/[;\r\n]/g, (character) => (character === ';' ? ':' : ' '));
};
