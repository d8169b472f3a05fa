/** What every state machine of this room returns: the next state, and what to do about it, as data. */
export interface Step<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** One member of an event union for each of the types in `Type`, so that a table's columns can tell them apart. */
export type Each<Type extends string, Rest = unknown> = Type extends string ? Rest & { readonly type: Type } : never;
