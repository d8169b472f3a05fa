/** The textbook's graceful shutdown, which loses requests when nothing helps it: close the server, then leave. */
import { serve } from './server.mjs';

const server = serve();
process.on('SIGTERM', () => server.close(() => process.exit(0)));
