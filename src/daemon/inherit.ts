/** Objects whose methods are watched by others: the daemon's own records and edges, as tests and events want them. */

/** Everything of `whole`, with some of its methods replaced. Methods of a class are not copied by spreading. */
export const inherit = <Whole extends object>(whole: Whole, methods: Partial<Whole>): Whole =>
  new Proxy(whole, {
    get: (target, key) => {
      if (key in methods) return methods[key as keyof Whole];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
