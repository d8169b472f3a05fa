/** An app without any signal handler. */
import { serve } from './server.mjs';

serve();
