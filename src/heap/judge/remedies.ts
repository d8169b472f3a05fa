/** What to do about each pattern, in words and as a sketch in the names of the program. A sketch shows the idea; it is not a patch. */
import type { Holder, LeakPattern } from './verdict.ts';

export interface RemedyNames {
  /** The variable, property or event as it stands in code; a word that will do where it has no such name. */
  readonly name: string;
  /** The same in a sentence: in backticks, or `the holder`. */
  readonly shown: string;
  /** The event as a literal, where the holder is one. */
  readonly event: string;
  /** The class, function or emitter that has it. */
  readonly owner: string;
  /** What is held under the name: `Map`, `Array`, `EventEmitter`. */
  readonly what: string;
  /** Whether Node itself keeps it, for calls of the program that the snapshot does not show. */
  readonly isRuntimes: boolean;
  /** Whether what is held is a Map of lists, and the lists are what grows. */
  readonly isOfLists: boolean;
  /** Class of what piles up. */
  readonly className: string;
  /** Name of the function of the application in what piles up; empty when it has none. */
  readonly callback: string;
}

export interface Remedy {
  readonly text: string;
  readonly code: string;
}

type WriteRemedy = (names: RemedyNames) => Remedy;

type WriteCode = (name: string) => string;

/** How to add, count and drop the oldest. */
const COLLECTION_CODE: Readonly<Record<'Map' | 'Set' | 'Object', readonly [WriteCode, WriteCode, WriteCode]>> = {
  Map: [
    (name) => `${name}.set(key, value);`,
    (name) => `${name}.size`,
    (name) => `${name}.delete(${name}.keys().next().value);`,
  ],
  Set: [
    (name) => `${name}.add(value);`,
    (name) => `${name}.size`,
    (name) => `${name}.delete(${name}.values().next().value);`,
  ],
  Object: [
    (name) => `${name}[key] = value;`,
    (name) => `Object.keys(${name}).length`,
    (name) => `delete ${name}[Object.keys(${name})[0]];`,
  ],
};

/** Patterns whose remedy bounds or empties a variable of the program; what Node keeps has none. */
const BOUNDED: ReadonlySet<LeakPattern> = new Set(['closures', 'collection', 'array']);

const RELEASE: Remedy = {
  text: 'Node keeps these for the program: find the call that makes them, and give each its end (close, clear, unsubscribe, destroy).',
  code: `performance.mark(name); // … performance.clearMarks(name);
channel.subscribe(listener); // … channel.unsubscribe(listener);`,
};

const REMEDIES: Readonly<Record<LeakPattern, WriteRemedy>> = {
  listeners: ({ event, owner, what, callback }) => {
    const emitter = owner || 'emitter';
    const listener = callback || 'listener';
    const isTarget = /Target|Signal|Port/.test(what);
    return {
      text: `Take each listener off when what added it is done${isTarget ? '' : ', or use `once` if it is needed once'}. A long-lived ${what} keeps every listener, and all that each of them can reach.`,
      code: isTarget
        ? `const ended = new AbortController();
${emitter}.addEventListener(${event}, ${listener}, { once: true, signal: ended.signal });
try {
  // … the work …
} finally {
  ended.abort(); // takes the listener off
}`
        : `${emitter}.on(${event}, ${listener}); // keep the function in a variable, so that it can be taken off
// when the owner of the listener goes away:
${emitter}.off(${event}, ${listener});`,
    };
  },
  closures: ({ name, shown, callback }) => ({
    text: `Each function in ${shown} keeps everything its scope has. Take it out when it is no longer called, and let it capture the few values it needs instead of whole objects.`,
    code: `const { id } = input; // capture this, not all of input
const ${callback || 'callback'} = () => use(id);
${name}.add(${callback || 'callback'});
return () => ${name}.delete(${callback || 'callback'}); // the caller ends it`,
  }),
  'shared-context': ({ name, shown, owner }) => ({
    text: `All functions made in one call share one scope: as long as one lives, every variable that any of them uses lives, here through ${shown}. Set the variable to null at the end of the call, or make the function that is kept somewhere else.`,
    code: `function ${/^[A-Za-z_$]\w*$/.test(owner) ? owner : 'replace'}() {
  const previous = ${name};
  // … last use of previous …
  ${name} = makeNext(/* only what it needs */); // made outside, so it does not share this scope
}`,
  }),
  timers: ({ name, callback }) => ({
    text: `Clear each timer when what it serves ends; a repeating one lives for ever, with all that its callback can reach.`,
    code: `const timer = setInterval(${callback || name}, everyMs);
// when the job, request or connection ends:
clearInterval(timer);`,
  }),
  collection: ({ name, shown, what, className, isOfLists }) => {
    if (isOfLists) {
      return {
        text: `Give each Array in ${shown} a bound: keep the last N, or take out what has been dealt with. It is the Arrays that grow, not their number.`,
        code: `const KEEP = 1_000;
const list = ${name}.get(key); // ${className}
if (list.length > KEEP) list.splice(0, list.length - KEEP);`,
      };
    }
    const [add, size, drop] = COLLECTION_CODE[what === 'Set' || what === 'Object' ? what : 'Map'];
    const text = `Give ${shown} a bound (size or age), or delete each entry when its owner ends; use a Weak${what === 'Set' ? 'Set' : 'Map'} where the life of an object should decide.`;
    if (what === 'FinalizationRegistry') {
      return {
        text: `${capital(shown)} keeps the held value of each registration until its object is collected. A held value that leads to the object itself keeps both for ever.`,
        code: `${name}.register(object, object.id); // a plain id or handle that the clean-up needs, nothing that leads back to object`,
      };
    }
    if (!/^(?:Map|Set|Object)$/.test(what)) {
      return {
        text,
        code: `${/^\w+$/.test(name) ? 'const ' : ''}${name} = new ${/^\w+$/.test(what) ? what : 'Cache'}({ max: 10_000 }); // whatever bounds it by number or age`,
      };
    }
    return {
      text,
      code: `const MAX = 10_000;
${add(name)} // ${className}
if (${size(name)} > MAX) ${drop(name)} // the oldest`,
    };
  },
  array: ({ name, shown, className }) => ({
    text: `Take out of ${shown} what has been dealt with, or keep the last N only.`,
    code: `const KEEP = 1_000;
${name}.push(item /* ${className} */);
if (${name}.length > KEEP) ${name}.splice(0, ${name}.length - KEEP);`,
  }),
  promises: ({ name, shown }) => ({
    text: `Settle every promise: a time-out that rejects it and takes it out of ${shown}. Do not race a long-lived promise again and again: each race leaves a reaction at it.`,
    code: `const { promise, resolve, reject } = Promise.withResolvers();
${name}.set(id, { resolve, reject });
const timer = setTimeout(() => reject(new Error('no answer')), 5_000);
promise.catch(() => {}).finally(() => {
  clearTimeout(timer);
  ${name}.delete(id);
});`,
  }),
  'async-context': ({ callback, name }) => ({
    text: `Work that outlives a request was started inside its AsyncLocalStorage context and keeps its store. Start it outside, or with an empty store.`,
    code: `storage.exit(() => {
  setInterval(${callback || name}, everyMs); // carries no request's store
});
// or once, at start-up: const outside = AsyncLocalStorage.snapshot(); … outside(${callback || name});`,
  }),
  buffers: ({ name, shown, what }) => ({
    text: `A slice keeps the whole memory it was cut from: copy the few bytes that ${shown} needs. Whole buffers that are done have to be dropped.`,
    code: `const kept = Buffer.from(chunk.subarray(0, n)); // a copy of its own; chunk.subarray(0, n) alone keeps all of chunk
${what === 'Array' ? `${name}.push(kept);` : what === 'Set' ? `${name}.add(kept);` : `${name}.set(key, kept);`}`,
  }),
  streams: ({ name, callback }) => ({
    text: `Destroy each stream when its reader or writer goes away; \`pipeline\` does it on every end, \`pipe\` on none.`,
    code: `await pipeline(${name}, ${callback || 'target'}); // of node:stream/promises: ends and unpipes both, also on errors
// or: request.on('close', () => { ${name}.unpipe(target); target.destroy(); });`,
  }),
  detached: ({ name, shown }) => ({
    text: `${capital(shown)} still holds parts that were taken out of their tree, each with all that is below it. Forget it in the place where it is removed.`,
    code: `element.remove();
${name}.delete(element.id); // together, in one function`,
  }),
  unknown: ({ name, shown }) => ({
    text: `${capital(shown)} gets bigger with every unit of work and never smaller. Write it out and start anew, or keep the last part only.`,
    code: `if (${name}.length > MAX) {
  flush(${name});
  ${name} = ${name}.slice(-KEEP);
}`,
  }),
};

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

export const findRemedy = (pattern: LeakPattern, names: RemedyNames): Remedy =>
  names.isRuntimes && BOUNDED.has(pattern) ? RELEASE : REMEDIES[pattern](names);

/** The names that a sketch uses, from a holder. */
export const remedyNames = (holder: Holder, className: string, callback: string, isOfLists = false): RemedyNames => {
  const name = writeable(holder.name);
  return {
    name: name || 'kept',
    shown: name === '' && holder.kind !== 'event' ? 'the holder' : `\`${holder.name}\``,
    event: `'${holder.name.replaceAll(/['\\\n]/g, ' ')}'`,
    owner: writeable(holder.owner),
    what: holder.what,
    isRuntimes: holder.kind === 'runtime',
    isOfLists,
    className: className.trim(),
    callback: writeable(callback),
  };
};

/** As it can stand in code, `this.#waiting` or `state.sessions`; empty where it cannot (symbols, anonymous functions). */
const writeable = (name: string): string => {
  // Nothing but `this` can stand before a private name where it is used.
  const text = name.startsWith('#') ? `this.${name}` : name;
  return /^[A-Za-z_$][\w$]*(?:\.#?[A-Za-z_$][\w$]*)*$/.test(text) ? text : '';
};
