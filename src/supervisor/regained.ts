/**
 * Where a daemon that came back got an app's listening sockets and channels from: what kept them (the guard, systemd),
 * the workers, which hold copies of their own, or nowhere. Told in an event, because what follows depends on it.
 */
type Way = 'kept' | 'workers' | 'nowhere';
type Ways = Record<Way, number>;

export interface Regained {
  /** Listening sockets; one for each port of which none could be had. */
  readonly sockets: Ways;
  /** Of workers that have one. */
  readonly channels: Ways;
}

const none = (): Ways => ({ kept: 0, workers: 0, nowhere: 0 });
export const newRegained = (): Regained => ({ sockets: none(), channels: none() });

/** Null where there was nothing to regain. `keeper` in words, such as `the guard`. */
export const describeRegained = ({ sockets, channels }: Regained, keeper: string): string | null => {
  const sentences = (
    [
      ['kept', `from ${keeper}`],
      ['workers', 'from the workers themselves'],
      ['nowhere', 'could not be had: nothing kept them, and they cannot be taken from the workers here (pidfd_getfd)'],
    ] as const
  ).flatMap(([way, words]) => {
    const parts = [count(sockets[way], 'socket'), count(channels[way], 'channel')].filter((part) => part !== null);
    return parts.length === 0 ? [] : [`${parts.join(' and ')} ${words}`];
  });
  return sentences.length === 0 ? null : sentences.join('; ');
};

const count = (number: number, thing: string): string | null =>
  number === 0 ? null : `${number} ${thing}${number === 1 ? '' : 's'}`;
