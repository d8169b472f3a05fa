/**
 * Where the daemon's questions about the worker's health are answered (messages of version 2): a `ping` from the event
 * loop itself, metrics, degrading, recovering. Nothing here runs before a daemon has sent its `settings`, so that under one
 * that knows none of this the agent is what it was.
 */
import type { AgentMessage, AgentReport, AgentSettings, DaemonMessage } from '../protocol/agent.ts';
import { BlockWatch } from './block-watch.ts';
import type { MeetingPoint } from './meeting-point.ts';

export type HealthMessage = Extract<
  DaemonMessage,
  { readonly type: 'settings' | 'ping' | 'collect' | 'degrade' | 'recover' }
>;

/** What a report says about health. */
export type HealthNews = Pick<AgentReport, 'checks' | 'block' | 'canRecover' | 'heapAfterGcBytes' | 'expectsReady'>;

export interface HealthDeskOptions {
  readonly meeting: MeetingPoint;
  readonly send: (message: AgentMessage) => boolean;
  /** There is news that the daemon should not wait for. */
  readonly onNews: () => void;
  readonly agentFile: string;
}

export class HealthDesk {
  readonly #options: HealthDeskOptions;
  readonly #blocks: BlockWatch;

  constructor(options: HealthDeskOptions) {
    this.#options = options;
    const { agentFile, onNews } = options;
    this.#blocks = new BlockWatch({ agentFile, onBlock: onNews, onLateness: () => undefined });
  }

  receive(message: HealthMessage): void {
    const { meeting, send } = this.#options;
    switch (message.type) {
      case 'settings':
        return this.#apply(message.settings);
      case 'ping':
        send({ type: 'pong', id: message.id });
        return;
      case 'collect':
        return;
      case 'degrade':
        return meeting.degrade(message.level, message.reason);
      case 'recover':
        void meeting
          .recover(message.reason)
          .then((recovery) => send({ type: 'recovered', id: message.id, ...recovery }));
    }
  }

  news(): HealthNews {
    const { checks, canRecover, expectsReady } = this.#options.meeting;
    const { block } = this.#blocks;
    return {
      ...(checks !== undefined && { checks }),
      ...(canRecover !== undefined && { canRecover }),
      ...(expectsReady && { expectsReady }),
      ...(block !== undefined && { block }),
    };
  }

  #apply({ blockedAfterMs, profile }: AgentSettings): void {
    this.#blocks.start(blockedAfterMs, profile);
  }
}
