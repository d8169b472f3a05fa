// Per schema, so that the tests do not see each other's queries.
const statistics = new WeakMap();

export function record(schema, field, tookMs) {
  let fields = statistics.get(schema);
  if (fields === undefined) {
    fields = { slowest: 0, timings: [] };
    statistics.set(schema, fields);
  }
  fields.slowest = Math.max(fields.slowest, tookMs);
  fields.timings.push({ field, tookMs, at: performance.now() });
}
