import assert from 'node:assert/strict';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { listenFirst, Others } from './listen-first.ts';

/** As the request meter does. */
const hearing =
  (hear: (message: unknown) => number) =>
  (others: Others) =>
  (message: unknown): void => {
    hear(message);
    if (others.areThere) others.tell(message);
  };

describe('Listening first', () => {
  it('hears each message before the subscribers do, whenever they come and go', () => {
    const heard: string[] = [];
    const subscriber = (message: unknown): void => void heard.push(`subscriber ${String(message)}`);
    const name = 'drover.test.first';
    listenFirst(
      name,
      hearing((message) => heard.push(`first ${String(message)}`)),
    );
    const publish = (message: string): void => channel(name).publish(message);
    publish('a');
    subscribe(name, subscriber);
    publish('b');
    unsubscribe(name, subscriber);
    publish('c');
    assert.deepEqual(heard, ['first a', 'first b', 'subscriber b', 'first c']);
  });

  it('leaves who has listened so before where it is', () => {
    const heard: string[] = [];
    const name = 'drover.test.twice';
    const subscriber = (): void => void heard.push('subscriber');
    listenFirst(
      name,
      hearing(() => heard.push('earlier')),
    );
    listenFirst(
      name,
      hearing(() => heard.push('later')),
    );
    subscribe(name, subscriber);
    channel(name).publish({});
    unsubscribe(name, subscriber);
    channel(name).publish({});
    assert.deepEqual(heard, ['later', 'earlier', 'subscriber', 'later', 'earlier']);
  });

  it('makes publishers publish', () => {
    listenFirst(
      'drover.test.publishers',
      hearing(() => 0),
    );
    assert.equal(channel('drover.test.publishers').hasSubscribers, true);
  });

  it('comes after nobody who subscribed before', () => {
    const heard: string[] = [];
    const name = 'drover.test.before';
    const subscriber = (): void => void heard.push('subscriber');
    subscribe(name, subscriber);
    listenFirst(
      name,
      hearing(() => heard.push('first')),
    );
    channel(name).publish({});
    unsubscribe(name, subscriber);
    assert.deepEqual(heard, ['first', 'subscriber']);
  });

  it('knows of subscribers where Node keeps no list on the channel', () => {
    const own = channel('drover.test.list') as unknown as ConstructorParameters<typeof Others>[0];
    const withoutList = (): boolean => {
      Reflect.deleteProperty(own, '_subscribers');
      return new Others(own).areThere;
    };
    assert.equal(withoutList(), false);
    subscribe('drover.test.list', () => undefined);
    assert.equal(withoutList(), true);
  });
});
