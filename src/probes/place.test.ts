import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ListenAddress, ProbeTarget } from '../protocol/index.ts';
import { otherPlaceOf, placeOf } from './place.ts';

const tcp = (port: number | null, host: string | null = null): Extract<ProbeTarget, { kind: 'tcp' }> => ({
  kind: 'tcp',
  port,
  host,
});
const at = (host: string, port = 3000): ListenAddress => ({ kind: 'tcp', host, port, v6only: false });

/** A worker that listens there, with a private socket for that port or none. */
const worker = (address: ListenAddress | null, path: string | null = null) => ({
  address: (port: number | null) =>
    port === null || (address?.kind === 'tcp' && address.port === port) ? address : null,
  privateSocket: (port: number | null) =>
    port === null || (address?.kind === 'tcp' && address.port === port) ? path : null,
});

describe('the place of a probe', () => {
  it('is the private socket of the worker where it has one, under its public name', () => {
    const place = { kind: 'socket', path: '/run/s', authority: '127.0.0.1:3000' };
    assert.deepEqual(placeOf(tcp(null), worker(at('0.0.0.0'), '/run/s')), place);
    assert.deepEqual(placeOf(tcp(3000), worker(at('0.0.0.0'), '/run/s')), place);
  });

  it('is where it listens otherwise: any address is reached over the loopback', () => {
    assert.deepEqual(placeOf(tcp(null), worker(at('::'))), { kind: 'tcp', host: '::1', port: 3000 });
    assert.deepEqual(placeOf(tcp(null), worker(at('10.1.2.3'))), { kind: 'tcp', host: '10.1.2.3', port: 3000 });
    const path: ListenAddress = { kind: 'unix', path: '/run/app.sock' };
    assert.deepEqual(placeOf(tcp(null), worker(path)), {
      kind: 'socket',
      path: '/run/app.sock',
      authority: 'localhost',
    });
  });

  it('is the named port of this machine where the worker is not known to have it, and nowhere without a name', () => {
    assert.deepEqual(placeOf(tcp(9000), worker(at('::'), '/run/s')), { kind: 'tcp', host: '127.0.0.1', port: 9000 });
    assert.equal(placeOf(tcp(null), worker(null)), null);
  });

  it('is another host where one is named, at the port of its scheme where none is', () => {
    assert.deepEqual(placeOf(tcp(25, 'mail.example'), worker(at('::'), '/run/s')), {
      kind: 'tcp',
      host: 'mail.example',
      port: 25,
    });
    const http: ProbeTarget = { kind: 'http', path: '/', port: null, host: 'h', headers: {}, scheme: 'https' };
    assert.deepEqual(placeOf(http, worker(null)), { kind: 'tcp', host: 'h', port: 443 });
  });

  it('is no port of the machine that the worker does not have, after a redirect', () => {
    const listening = worker(at('::'), '/run/s');
    assert.equal(otherPlaceOf(tcp(null), listening, 443), null);
    assert.equal(otherPlaceOf(tcp(null), listening, 3000)?.kind, 'socket');
    assert.deepEqual(otherPlaceOf(tcp(25, 'h'), listening, 443), { kind: 'tcp', host: 'h', port: 443 });
  });
});
