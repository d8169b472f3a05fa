/**
 * Keeps the workers of all apps alive and carries out what is asked of them. The heart of the daemon; it reaches the
 * world through `edges.ts` only.
 */
import type { SlotAction, SlotChange } from '../core/index.ts';
import { usableCpus } from '../os/index.ts';
import { DroverError, type AppConfig, type OperationKind } from '../protocol/index.ts';
import type { AppChange, AppListener, AppState, BeginOptions } from './app-state.ts';
import { App } from './app.ts';
import type { AgentLink, LinkListener } from './agent-link.ts';
import { bystander } from './bystander.ts';
import { reportGarbage } from './agent-messages.ts';
import type { SupervisorEdges } from './edges.ts';
import { regainPorts } from './regain-ports.ts';
import type { OperationRun } from './operation-run.ts';
import { mayReplaceInPlace } from './overlap.ts';
import { replaceOthers } from './replacements.ts';
import type { Tenant } from './tenant.ts';

/** Where it comes from, and what is written with it. */
type AskOptions = Pick<BeginOptions, 'request' | 'alongside'>;

export interface ChangeOptions extends AskOptions {
  /** Only these; null: all. */
  readonly slots?: readonly number[] | null;
}

export interface StartOptions extends ChangeOptions {
  readonly kind?: OperationKind;
  /** Not before this: what the app depends on is up. */
  readonly after?: Promise<unknown>;
}

export class Supervisor {
  readonly edges: SupervisorEdges;
  readonly #apps = new Map<string, App>();
  readonly #listener: AppListener;

  constructor(edges: SupervisorEdges, listener: AppListener) {
    this.edges = edges;
    this.#listener = listener;
  }

  get apps(): readonly App[] {
    return [...this.#apps.values()].toSorted((a, b) => (a.app < b.app ? -1 : 1));
  }

  find(name: string): App | null {
    return this.#apps.get(name) ?? null;
  }

  /** Registers an app; nothing starts. */
  add(state: AppState): App {
    const app = new App(this.edges, state, this.#listener);
    this.#apps.set(state.config.name, app);
    return app;
  }

  remove(app: App): void {
    app.close();
    this.#apps.delete(app.app);
  }

  findSpawn(spawnId: string): Tenant | null {
    for (const app of this.#apps.values()) {
      const found = app.tenants.find((tenant) => tenant.handle?.spawnId === spawnId);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Boots every slot that has no live worker. Throws DROVER_PORT_TAKEN before anything starts. */
  start(
    app: App,
    change: AppChange = {},
    { kind = 'start', slots = null, ...options }: StartOptions = {},
  ): OperationRun {
    const wanted = slots ?? range(change.instances ?? app.state.instances);
    app.prepare(change);
    app.desk.openKnownPorts();
    const changes = this.#changes(app, wanted, 'boot', isStartable);
    return app.begin(kind, change, { machine: 'start', changes }, { ...options, wants: 'up', slots });
  }

  /** New settings that no worker has to be replaced for; as many workers as they ask for. */
  adjust(app: App, change: AppChange, asked: AskOptions): OperationRun {
    return this.scale(app, change.instances ?? app.state.instances, { ...asked, change });
  }

  /** Replaces workers without losing a request. */
  reload(app: App, change: AppChange = {}, { slots = null, ...asked }: ChangeOptions = {}): OperationRun {
    if (app.state.wanted !== 'up') return this.start(app, change, { ...asked, slots });
    app.prepare(change);
    const wanted = slots ?? range(change.instances ?? app.state.instances);
    if (!mayReplaceInPlace(app, change.config ?? app.state.config)) {
      // Two of them cannot hold one port: the old one has to go first.
      const plan = { machine: 'restart', changes: this.#restartChanges(app, wanted) } as const;
      return app.begin('reload', change, plan, asked);
    }
    const replaced = wanted.map((slot): SlotChange => ({ slot, action: isVacant(app, slot) ? 'boot' : 'replace' }));
    const removed = slots === null ? this.#surplus(app, wanted.length) : [];
    return app.begin('reload', change, { machine: 'reload', changes: [...replaced, ...removed] }, asked);
  }

  /** Stops, then starts. */
  restart(app: App, change: AppChange = {}, { slots = null, ...asked }: ChangeOptions = {}): OperationRun {
    if (app.state.wanted !== 'up') return this.start(app, change, { ...asked, kind: 'restart', slots });
    app.prepare(change);
    const wanted = slots ?? range(change.instances ?? app.state.instances);
    const removed = slots === null ? this.#surplus(app, wanted.length) : [];
    const changes = [...this.#restartChanges(app, wanted), ...removed];
    return app.begin('restart', change, { machine: 'restart', changes }, asked);
  }

  /**
   * Ends whatever else is under way first: a stop is never refused for being busy. Where one of the kind is under way that
   * does as much, that is the answer. Throws DROVER_BUSY while the app is being deleted, DROVER_APP_UNKNOWN once it is gone.
   */
  async stop(
    app: App,
    kind: 'stop' | 'delete',
    { slots = null, request = null }: Pick<ChangeOptions, 'slots' | 'request'> = {},
  ): Promise<OperationRun> {
    // Not in a function of its own: between its end and what follows, something else could begin.
    while (app.operation !== null) {
      const { operation } = app;
      if (isEnding(operation)) {
        if (operation.kind === kind && doesAsMuch(operation, app, slots)) return operation;
        if (operation.kind === 'delete') {
          throw new DroverError('DROVER_BUSY', { app: app.app, kind: operation.kind, operation: operation.id });
        }
      } else operation.abort(`${kind} was asked for`);
      await operation.ended;
    }
    if (this.find(app.app) !== app) throw new DroverError('DROVER_APP_UNKNOWN', { app: app.app });
    // With the last one of its workers the app is stopped.
    const asked = slots === null || isRest(app, slots) ? null : slots;
    return this.#beginStop(app, kind, asked, { request, ...(asked === null ? { wants: 'stopped' } : {}) });
  }

  #beginStop(
    app: App,
    kind: 'stop' | 'delete',
    slots: readonly number[] | null,
    options: Pick<BeginOptions, 'wants' | 'isAsked' | 'request'>,
  ): OperationRun {
    const changes = (slots ?? slotsOf(app)).map((slot): SlotChange => ({ slot, action: 'remove' }));
    const run = app.begin(kind, {}, { machine: kind, changes }, options);
    if (slots === null) {
      // New connections are refused from now on, instead of waiting for workers that will not come.
      this.edges.traffic.closeApp(app.app);
      this.edges.onDescriptorsChanged();
    }
    return run;
  }

  scale(
    app: App,
    instances: number,
    { change = {}, ...asked }: AskOptions & { readonly change?: AppChange } = {},
  ): OperationRun {
    // Of a stopped app only the size changes.
    const fresh = app.isWanted ? this.#changes(app, range(instances), 'boot', isVacant) : [];
    const removed = this.#surplus(app, instances);
    const changes = [...fresh, ...removed];
    return app.begin('scale', { ...change, instances }, { machine: 'scale', changes }, asked);
  }

  #changes(
    app: App,
    slots: readonly number[],
    action: SlotAction,
    applies: (app: App, slot: number) => boolean,
  ): readonly SlotChange[] {
    return slots.filter((slot) => applies(app, slot)).map((slot) => ({ slot, action }));
  }

  #restartChanges(app: App, slots: readonly number[]): readonly SlotChange[] {
    return slots.map((slot) => ({ slot, action: isVacant(app, slot) ? 'boot' : 'stop-start' }));
  }

  #surplus(app: App, instances: number): readonly SlotChange[] {
    return app.slots.all
      .filter(({ index }) => index >= instances)
      .map(({ index }) => ({ slot: index, action: 'remove' }));
  }

  /**
   * After a daemon restart, once the workers are taken over: opens the app's ports again, goes on with its operation, and
   * fills the slots that have no worker and that no operation cares for.
   */
  resume(app: App, after?: Promise<unknown>): void {
    if (app.state.wanted === 'up') this.#regain(app);
    else {
      this.edges.traffic.closeApp(app.app);
      if (app.operation === null) for (const tenant of app.tenants) tenant.stop();
    }
    const { operation } = app;
    void operation?.resume(after);
    if (app.state.wanted !== 'up') return;
    const wanted = app.slotNumbers.filter((slot) => !app.state.stoppedSlots.includes(slot));
    for (const { slot } of this.#changes(app, wanted, 'boot', isVacant)) {
      const release = operation === null ? 'new' : operation.releaseOf(slot);
      if (release === null) continue;
      app.slots.boot(slot, release, release === 'new' ? (operation?.orderFor(slot) ?? null) : null);
    }
    app.dismissSurplus();
    // The daemon before this one may have died before it had replaced them.
    void replaceOthers(app);
  }

  #regain(app: App): void {
    regainPorts(app);
    try {
      app.desk.openKnownPorts();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.edges.records.events.append({ app: app.app, type: 'port-taken', reason });
    }
  }

  /** An agent behind a wrapper connects and names its spawn. Null: nobody waits for it. */
  claimLink(spawnId: string, link: AgentLink): LinkListener | null {
    const tenant = this.findSpawn(spawnId);
    const handle = tenant?.handle ?? null;
    // One process speaks for the worker: the first that listened.
    if (tenant === null || handle === null) return null;
    // Only behind a wrapper there can be others beside it.
    if (handle.link !== null) return tenant.config.command.kind === 'program' ? bystander(tenant, handle, link) : null;
    handle.link = link;
    return {
      onMessage: (message) => tenant.receive(handle, message),
      onGarbage: (detail) => reportGarbage(tenant, handle, detail),
      onClose: () => tenant.loseAgent(handle),
    };
  }

  /** Ends every worker without changing what is wanted. */
  async stopAll(): Promise<void> {
    await Promise.all(this.apps.map(async (app) => this.#endWorkers(app)));
    // What was accepted last may have begun only now.
    const rest = this.apps.filter((app) => app.operation !== null || app.liveHandles().length > 0);
    await Promise.all(rest.map(async (app) => this.#endWorkers(app)));
  }

  async #endWorkers(app: App): Promise<void> {
    while (app.operation !== null) {
      const { operation } = app;
      // One that ends workers already is as good as ours, for those.
      if (!isEnding(operation)) operation.abort('stop was asked for');
      await operation.ended;
    }
    if (app.tenants.length === 0) return;
    app.standDown();
    // Asked for or not: a daemon must be able to end on a full disk.
    await this.#beginStop(app, 'stop', null, { isAsked: false }).ended;
  }

  close(): void {
    for (const app of this.#apps.values()) app.close();
  }
}

/** How many slots a configuration asks for on this machine. */
export const instancesOf = (config: AppConfig): number =>
  config.instances === 'max' ? usableCpus() : config.instances;

const isEnding = ({ kind }: OperationRun): boolean => kind === 'stop' || kind === 'delete';

/** Whether one that stops has been asked for those slots (null: for the app, which is not wanted any more). */
const doesAsMuch = ({ plan }: OperationRun, app: App, slots: readonly number[] | null): boolean => {
  if (!plan.isAsked) return false;
  if (slots === null) return app.state.wanted === 'stopped';
  const asked = new Set(plan.changes.map(({ slot }) => slot));
  return slots.every((slot) => asked.has(slot));
};

/** All others were stopped before. */
const isRest = (app: App, slots: readonly number[]): boolean =>
  app.slotNumbers.every((slot) => slots.includes(slot) || app.state.stoppedSlots.includes(slot));

const slotsOf = (app: App): readonly number[] => app.slots.all.map(({ index }) => index);

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Nobody runs in the slot. */
export const isStartable = (app: App, slot: number): boolean => app.slots.isStartable(slot);

/** Nobody holds the slot, or only somebody who was told to go. */
const isVacant = (app: App, slot: number): boolean => app.slots.isVacant(slot);
