/**
 * An app with OpenTelemetry under a daemon of its own: the files are those of `docs/tracing.md`, written into a folder that has
 * the packages which the page says to install. The collector is a receiver of ours that decodes with the official
 * definitions.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { openDrover, type Drover } from '../support/drover.ts';
import { eventually } from '../support/eventually.ts';
import type { TestNode } from '../support/nodes.ts';
import { openOtlpReceiver, type OtlpReceiver, type Span } from '../support/otlp.ts';
import { ask } from '../support/service.ts';
import { freePort } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/tracing.md');

/** The caller's, in requests of the tests. */
export const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

/** A code block of the page, by the name of the file in the sentence before it. */
export function fileOfPage(name: string): string {
  const text = readFileSync(PAGE, 'utf8');
  const start = text.indexOf('```', text.indexOf(`\`${name}\`:`));
  const [, code] = /^```\w+\n([\s\S]*?)^```$/m.exec(text.slice(start)) ?? [];
  if (!text.includes(`\`${name}\`:`) || code === undefined) throw new Error(`docs/tracing.md has no ${name}`);
  return code;
}

/** What is undefined is not written. */
export interface Settings {
  readonly env: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** `{ apps: { shop } }`, with the endpoint and port of the test in place of those of the page. */
interface PageConfig {
  readonly apps: { readonly shop: Settings };
  readonly daemon?: object;
}

export interface TracedPlace extends AsyncDisposable {
  readonly drover: Drover;
  readonly receiver: OtlpReceiver;
  /** The app's. */
  readonly folder: string;
  readonly port: number;
  /** Writes the configuration of the page, changed by this, and starts it on that Node. */
  start(change?: (shop: Settings) => Settings, daemon?: object): Promise<void>;
  /** A body; the request has the caller's `traceparent`. */
  ask(path: string): Promise<string>;
  /** What the workers have printed. */
  printed(): Promise<string>;
  /** Resolves with all spans of the caller's trace once `holds` is true of them. */
  untilSpans(what: string, holds: (spans: readonly Span[]) => boolean): Promise<readonly Span[]>;
  /** Stops the app and returns what ended it, as its events tell. */
  stop(): Promise<readonly string[]>;
}

/** `files`: beside those of the page. */
export async function openTracedPlace(
  node: TestNode,
  files: Readonly<Record<string, string>> = {},
): Promise<TracedPlace> {
  const [drover, receiver, port] = [await openDrover(), await openOtlpReceiver(), await freePort()];
  const folder = join(drover.home, 'shop');
  installPackages(folder, node);
  const written = {
    'instrumentation.mjs': fileOfPage('instrumentation.mjs'),
    'server.mjs': fileOfPage('server.mjs'),
    ...files,
  };
  for (const [name, text] of Object.entries(written)) writeFileSync(join(folder, name), text);
  const env = { PATH: `${dirname(node.path)}${delimiter}${process.env['PATH'] ?? ''}` };
  return {
    drover,
    receiver,
    folder,
    port,

    async start(change = (shop) => shop, daemon) {
      const page = JSON.parse(fileOfPage('drover.config.json')) as PageConfig;
      const { shop } = page.apps;
      const changed = change({
        ...shop,
        port,
        node: String(node.major),
        ready: { stableFor: '200ms' },
        drain: { idleGrace: '100ms' },
        env: {
          ...shop.env,
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
          // What the clouds would be asked over the network.
          OTEL_NODE_RESOURCE_DETECTORS: 'env,host,process',
        },
      });
      const file = join(folder, 'drover.config.json');
      writeFileSync(file, JSON.stringify({ apps: { shop: changed }, ...(daemon === undefined ? {} : { daemon }) }));
      await drover.start([file], { env });
    },

    async ask(path) {
      const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
      const { status, body } = await ask(port, path, { headers: { traceparent } });
      if (status !== 200) throw new Error(`${path} was answered ${status}: ${body}`);
      return body;
    },

    printed: async () => (await drover.run(['logs', 'shop'])).stdout,

    untilSpans: async (what, holds) =>
      eventually(
        what,
        () => {
          const spans = receiver.spans().filter(({ traceId }) => traceId === CALLER.traceId);
          return holds(spans) && spans;
        },
        { withinMs: 20_000 },
      ),

    async stop() {
      const { code, stderr } = await drover.run(['stop', 'shop']);
      if (code !== 0) throw new Error(`the app was not stopped: ${stderr}`);
      const events = await drover.run(['events', 'shop']);
      return events.stdout.split('\n').filter((line) => / worker-(killed|exited)\b/.test(line));
    },

    async [Symbol.asyncDispose]() {
      await drover[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

/** Links each package, and `drover` itself: a folder of packages of its own, as an app has it. */
function installPackages(folder: string, node: TestNode): void {
  // What is new does not run on Node 20 any more.
  const from = join(import.meta.dirname, node.major < 22 ? 'node20' : '.', 'node_modules');
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(from)) if (!name.startsWith('.')) symlinkSync(join(from, name), join(modules, name));
  symlinkSync(ROOT, join(modules, 'drover'));
}
