/**
 * Mistakes that a daemon of this kind could have, each as a change of one line or two of the real sources. The simulation
 * has to find every one of them; those marked were made in earnest, and found by it.
 */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const SLOTS = 'src/supervisor/slots.ts';
const RUN = 'src/supervisor/operation-run.ts';
const SPAWN = 'src/supervisor/spawn-worker.ts';
const WORKER = 'src/core/worker.ts';
const ADOPTION = 'src/core/adoption.ts';
const OPERATION = 'src/core/operation.ts';
const RECOVER = 'src/daemon/recover.ts';
const WEIGHTS = 'src/core/weights.ts';
const SUPERVISOR = 'src/supervisor/supervisor.ts';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a process is started before it is on record (made in earnest)',
    file: SPAWN,
    find: 'recordWorker(tenant, handle, { pid: 0, startTicks: 0 });',
    replace: '',
  },
  {
    name: 'a process that was being started is not looked for (made in earnest)',
    file: 'src/supervisor/adoption-run.ts',
    find: 'record.bootId === bootId ? processes.find(record.spawn) : null',
    replace: 'record.bootId === bootId ? null : null',
  },
  {
    name: 'a slot gets a second replacement',
    file: SLOTS,
    find: 'if (slot.replacement !== null) return slot.replacement;',
    replace: '',
  },
  {
    name: 'the end of an operation is on record before what it made of the app (made in earnest)',
    file: RUN,
    find: `records.keepTogether(() => {
      this.#host.conclude(this.kind, outcome);
      records.operations.end(this.id, this.#state.phase, receipt);
    });`,
    replace: `records.operations.end(this.id, this.#state.phase, receipt);
    this.#host.conclude(this.kind, outcome);`,
  },
  {
    name: 'an operation that had come to its end is not ended by the next daemon (made in earnest)',
    file: OPERATION,
    find: "effects: state.end === null ? [] : [{ type: 'finish', ...state.end }],",
    replace: 'effects: [],',
  },
  {
    name: 'a pid that was given to another process is adopted',
    file: ADOPTION,
    find: `if (observed.startTimeTicks !== record.startTimeTicks) return 'foreign';
  if (observed.hasSpawnMark === false) return 'foreign';`,
    replace: '',
  },
  {
    name: 'a hand-over that is ordered again does not wait for who leaves by it',
    file: SLOTS,
    find: `// It was carried out already: the one that leaves by it may still be there.
    if (slot.replacement === null) return lastOf(slot.leaving);`,
    replace: 'if (slot.replacement === null) return slot.holder;',
  },
  {
    name: 'what a worker is in its slot is not written down',
    file: 'src/supervisor/tenant.ts',
    find: 'this.host.edges.records.workers.setRole(key, role);',
    replace: 'void key;',
  },
  {
    name: 'a slot that was removed is filled again (made in earnest)',
    file: OPERATION,
    find: "return action === 'remove' ? null : 'new';",
    replace: "return 'new';",
  },
  {
    name: 'a hand-over that could not be carried out counts as carried out (made in earnest)',
    file: OPERATION,
    find: "if (stage === 'ending' && undone.includes(slot))",
    replace: "if (stage === 'ending' && undone.includes(-1))",
  },
  {
    name: 'a deletion does not wait for those who were leaving before (made in earnest)',
    file: RUN,
    find: "this.#await('emptying', effect",
    replace: "this.#await('drain', effect",
  },
  {
    name: 'slots that lost their worker while no daemon looked stay empty',
    file: SUPERVISOR,
    find: 'if (release === null) continue;',
    replace: 'continue;',
  },
  {
    name: 'a start that is under way when its app is stopped goes on (made in earnest)',
    file: SPAWN,
    find: "if (tenant.state.wanted !== 'up' || !host.wants(slot))",
    replace: "if (tenant.state.wanted !== 'up')",
  },
  {
    name: 'workers of a stopped app are taken over and left running',
    file: SUPERVISOR,
    find: 'if (app.operation === null) for (const tenant of app.tenants) tenant.stop();',
    replace: '',
  },
  {
    name: 'who drains when the daemon dies is cut off by the next one (made in earnest)',
    file: 'src/supervisor/run-effects.ts',
    find: 'handle.adoption !== null && !tenant.isAgentless',
    replace: 'false',
  },
  {
    name: 'a stop can be aborted when nobody serves any more (made in earnest)',
    file: OPERATION,
    find: "if (state.kind === 'stop' || state.kind === 'delete') return stay(state);",
    replace: '',
  },
  {
    name: 'a start that failed is repeated at once',
    file: 'src/core/restart-limit.ts',
    find: 'if (attempts === 0) return 0;',
    replace: 'if (attempts >= 0) return 0;',
  },
  {
    name: 'the wait between starts that fail does not grow',
    file: 'src/core/restart-limit.ts',
    find: 'initialMs * factor ** (attempts - 1)',
    replace: 'initialMs',
  },
  {
    name: 'crashes beyond the limit are not slowed down',
    file: WORKER,
    find: 'const loops = from.loops > 0 || crashes.length > restart.crashLoop.restarts ? from.loops + 1 : 0;',
    replace: 'const loops: number = 0;',
  },
  {
    name: 'a replacement counts as ready as soon as it listens',
    file: 'src/core/readiness.ts',
    find: 'const readyAt = since + facts.stableForMs;',
    replace: 'const readyAt = since;',
  },
  {
    name: 'what an operation could not put back is given up (made in earnest)',
    file: 'src/supervisor/app.ts',
    find: "if (index < this.#state.instances && this.slots.isVacant(index)) this.slots.boot(index, 'old');",
    replace: 'void index;',
  },
  {
    name: 'after a hand-over the old worker is not asked to leave',
    file: SLOTS,
    find: 'leaving?.stop();',
    replace: '',
  },
  {
    name: 'a replacement that is not wanted is left running',
    file: SLOTS,
    find: `slot.leave(tenant);
    tenant.stop();`,
    replace: 'slot.leave(tenant);',
  },
  {
    name: 'an operation that failed makes its configuration the lasting one',
    file: 'src/supervisor/app.ts',
    find: 'else this.#target = this.#state;',
    replace: 'else this.#state = this.#target;',
  },
  {
    name: 'the next daemon does not go on with operations',
    file: SUPERVISOR,
    find: 'void operation?.resume(after);',
    replace: 'void after;',
  },
  {
    name: 'a backoff has no end',
    file: WORKER,
    find: "{ type: 'arm', timer: 'backoff', afterMs: waitMs, generation: from.generation },",
    replace: '',
  },
  {
    name: 'a worker that never gets ready is waited for',
    file: WORKER,
    find: `[
      ...reports,
      { type: 'spawn', generation },
      { type: 'arm', timer: 'ready', afterMs: policy.readyTimeoutMs, generation },
    ],`,
    replace: "[...reports, { type: 'spawn', generation }],",
  },
  {
    name: 'a generation is given twice: what an earlier process of the slot did is taken for what this one does',
    file: 'src/supervisor/app.ts',
    find: 'nextGeneration: (this.slots.find(tenant.slot)?.lastGeneration ?? 0) + 1,',
    replace: 'nextGeneration: tenant.state.generation + 1,',
  },
  {
    // One of both alone does no harm: a timer of another generation is not heard, and each phase knows those that may be late.
    name: 'timers of a phase that was left are not disarmed, and go off for whoever is there then',
    file: 'src/supervisor/run-effects.ts',
    find: `() => tenant.step({ type: 'timer', at: tenant.at, timer, generation }));
  },

  disarm(tenant, { timer }) {
    if (timer === 'backoff') tenant.backoffUntil = null;
    tenant.timers.disarm(timer);
  },`,
    replace: `() =>
      tenant.step({ type: 'timer', at: tenant.at, timer, generation: tenant.state.generation }));
    void generation;
  },

  disarm() {},`,
  },
  {
    name: 'a change that the disk refused is acted upon',
    file: 'src/supervisor/app.ts',
    find: 'run = isAsked ? this.edges.records.transaction(write) : this.#open(whole);',
    replace: 'void write; run = this.#open({ ...whole, isAsked: false });',
  },
  {
    name: 'what the disk did not take is forgotten when there is room again',
    file: 'src/store/database.ts',
    find: `kept.replay();
      isHolding = true;`,
    replace: 'isHolding = true;',
  },
  {
    name: 'the end of an operation and what it made of the app are two writes',
    file: 'src/store/database.ts',
    find: 'keepAll(collected.writes, true);',
    replace: 'for (const each of collected.writes) keepAll([each], true);',
  },
  {
    name: 'workers that no record names are not adopted',
    file: RECOVER,
    find: 'adopt(app, store.workers.list(name), own, inherited);',
    replace: 'adopt(app, store.workers.list(name), own.slice(0, 0), inherited);',
  },
  {
    name: 'operations of a state that fell back go on',
    file: RECOVER,
    find: "if (hasFallenBack(store)) return 'the state fell back to a backup in which it had not ended';",
    replace: '',
  },
  {
    name: 'the next daemon but one does not know that the state fell back (made in earnest)',
    file: RECOVER,
    find: 'condition.fallBack !== null || meta.find(FELL_BACK_KEY) !== undefined;',
    replace: 'condition.fallBack !== null || meta === null;',
  },
  {
    name: 'workers beyond the size of a state that fell back stay (made in earnest)',
    file: 'src/supervisor/app.ts',
    find: "if (changes.length > 0) this.begin('scale', {}, { machine: 'scale', changes }, { isAsked: false });",
    replace: 'void changes;',
  },
  {
    name: 'what was found without a record is booted once more (made in earnest)',
    file: SLOTS,
    find: "const found = release === 'new' ? this.#findUnrecorded(slot) : null;",
    replace: 'const found = null;',
  },
  {
    name: 'a worker of a release that the state forgot is started again as one of it (made in earnest)',
    file: 'src/supervisor/app.ts',
    find: 'return { config, release: known };',
    replace: 'return { config, release: known === 0 ? known : release };',
  },
  {
    name: 'a port is given up because those who serve it have not spoken yet (made in earnest)',
    file: 'src/supervisor/app.ts',
    find: 'return this.liveHandles().some((handle) => handle.adoption !== null && !handle.isHeard);',
    replace: 'return false;',
  },
  {
    name: 'a shard that the guard had not heard of is not taken back from its worker (made in earnest)',
    file: 'src/supervisor/regain-ports.ts',
    find: 'return app.liveHandles().filter((handle) => port === null || isRobbed(app, port, handle));',
    replace: 'return port === null ? app.liveHandles() : [];',
  },
  {
    name: 'a shard that a worker was given in place of one that the guard kept is not taken back (made in earnest)',
    file: 'src/supervisor/regain-ports.ts',
    find: 'return held.length > 0 && !port.isShardAmong(handle.slot, inodesOf(held));',
    replace: 'return held.length < 0;',
  },
  {
    name: 'a port that the guard had not heard of counts as taken by somebody else (made in earnest)',
    file: 'src/supervisor/listen-desk.ts',
    find: 'if (regained === null) throw error;',
    replace: 'if (regained === null || regained !== null) throw error;',
  },
  {
    name: 'a shard is closed while somebody waits on it (made in earnest)',
    file: 'src/net/group-port.ts',
    find: 'isQuiet: () => (this.#kernel.acceptQueue(shard.fd)?.depth ?? 0) === 0,',
    replace: 'isQuiet: () => true,',
  },
  {
    name: 'a worker that stalls is not covered',
    file: WEIGHTS,
    find: 'if (shard.stuck >= (shard.coverUntil === null ? policy.stalledPolls : policy.behindPolls)) return true;',
    replace: '',
  },
  {
    name: 'the shard of a dead worker is not covered',
    file: WEIGHTS,
    find: 'if (!sample.isUp) return true;',
    replace: 'if (!sample.isUp) return false;',
  },
  {
    name: 'with nobody alive the weights come to nothing',
    file: WEIGHTS,
    find: 'const weights = wanted.some((weight) => weight > 0) ? wanted : samples.map(({ base }) => base);',
    replace: 'const weights = wanted;',
  },
  {
    name: 'who fell behind once never gets its share back',
    file: WEIGHTS,
    find: 'before.coveredBy === null ? Math.min(1, before.factor * (1 + policy.regain)) : before.factor;',
    replace: 'before.factor;',
  },
  {
    name: 'a worker that drains is given traffic by the next daemon (made in earnest)',
    file: 'src/supervisor/agent-messages.ts',
    find: "handle.isLeaving = message.phase === 'draining';",
    replace: '',
  },
];
