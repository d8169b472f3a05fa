/** Leaves at once when asked to, with whatever is in flight. */
import { serve } from './server.mjs';

serve();
process.on('SIGTERM', () => process.exit(0));
