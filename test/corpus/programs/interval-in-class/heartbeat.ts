export class Heartbeat {
  #beat: NodeJS.Timeout;
  #state: 'idle' | 'busy' = 'idle';
  readonly labels: string[];
  beats = 0;

  constructor(name: string) {
    this.labels = [name, `host-${name}`, `zone-${name.length}`];
    this.#beat = setInterval(this.#tick.bind(this), 20_000).unref();
  }

  #tick(): void {
    this.beats++;
  }

  work(): void {
    this.#state = this.beats > 3 ? 'busy' : 'idle';
  }

  dispose(): void {
    if (this.#state === 'busy') clearInterval(this.#beat);
  }
}
