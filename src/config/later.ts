/**
 * Keys that are documented and not built yet. They are refused, never accepted and ignored. Whoever builds one takes
 * its line out of here and adds it to the schema.
 */
export const LATER_IN_APP: ReadonlySet<string> = new Set(['secrets', 'deploy', 'limits', 'sandbox', 'leak', 'profile']);
export const LATER_IN_DAEMON: ReadonlySet<string> = new Set(['dashboard', 'nats']);
