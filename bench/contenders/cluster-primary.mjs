/** node:cluster as its manual shows it: a primary that forks and forks again. Arguments: script, workers. */
import cluster from 'node:cluster';

const [script, workers] = process.argv.slice(2);
cluster.setupPrimary({ exec: script });
for (let slot = 0; slot < Number(workers); slot++) cluster.fork({ NODE_APP_INSTANCE: String(slot) });
cluster.on('exit', () => cluster.fork());
process.on('SIGTERM', () => process.exit(0));
