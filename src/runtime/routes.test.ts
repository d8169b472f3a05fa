import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guessRoute } from './route-guess.ts';
import { ROUTE, Routes, type RoutedRequest } from './routes.ts';

describe('A route', () => {
  it('is guessed from a path by what looks like an id', () => {
    for (const [path, route] of [
      ['/', '/'],
      ['/users/17?x=/1', '/users/:id'],
      ['/users/018f3c9e-7b1a-7c3e-9f00-3b1a7c3e9f00/orders', '/users/:id/orders'],
      ['/blobs/deadbeef01', '/blobs/:id'],
      ['/api/v2/oauth2/token', '/api/v2/oauth2/token'],
      ['/order-12345', '/:id'],
      ['/mail/a@b.c', '/mail/:id'],
      ['/t/eyJhbGciOiJIUzI1NiJ9aaaaaaaaaaaaaaaaaaaaaaaa', '/t/:id'],
      ['/a%20b', '/:id'],
      ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/*'],
      ['*', '*'],
      ['http://else/', '/'],
    ] as const) {
      assert.equal(guessRoute(path), route);
    }
  });

  it('is bounded in number and in length, whatever comes', () => {
    const routes = new Routes(10);
    for (let index = 0; index < 5000; index++) {
      const url = `/${'abcdefghij'[index % 10]}${'klmnopqrst'[((index / 10) % 10) | 0]}`;
      routes.find({ method: 'GET', url }, 200).count(200, 1);
      routes.find({ method: 'GET', [ROUTE]: 'x'.repeat(1000) + index }, 200).count(200, 1);
    }
    const all = routes.read().list;
    assert.equal(all.length, 11);
    assert.ok(all.every(({ route }) => route.length <= 200));
    assert.equal(
      all.flatMap(({ byClass }) => byClass).reduce((sum, one) => sum + one, 0),
      10_000,
    );
  });

  it('of Express is that of its router, also where an error has taken the base away', () => {
    const routes = new Routes(10);
    const count = (request: RoutedRequest, status: number): void => routes.find(request, status).count(status, 1);
    count({ method: 'GET', url: '/17', originalUrl: '/users/17', baseUrl: '/users', route: { path: '/:id' } }, 200);
    count({ method: 'GET', url: '/users/17', baseUrl: '', route: { path: '/:id' } }, 500);
    count({ method: 'GET', url: '/17', baseUrl: '', route: { path: '/:id' } }, 500);
    count({ method: 'GET', url: '/', baseUrl: '', route: { path: '/' } }, 404);
    assert.deepEqual(
      routes.read().list.map(({ route, byClass }) => `${route} ${byClass.join('')}`),
      ['/users/:id 001001', '/:id 000001', '/ 000010'],
    );
  });

  const counts = (routes: Routes): string[] =>
    routes.read().list.map(({ method, route, byClass }) => `${method} ${route} ${byClass.join('')}`);

  it('is that of each method, served or not, however requests for one path and for others follow each other', () => {
    const routes = new Routes(10);
    for (const [method, url, status] of [
      ['GET', '/a', 200],
      ['POST', '/a', 200],
      ['GET', '/a', 500],
      ['GET', '/a', 404],
      ['GET', '/b', 404],
      ['GET', '/b', 404],
      ['GET', '/a/7', 200],
      ['GET', '/a/8', 404],
      ['GET', '/a/8', 200],
      ['POST', '/a', 404],
      ['DELETE', '/a', 404],
    ] as const)
      routes.find({ method, url }, status).count(status, 1);
    assert.deepEqual(counts(routes), [
      'GET /a 001011',
      'GET other 000020',
      'GET /a/:id 002010',
      'POST /a 001010',
      'DELETE other 000010',
    ]);
  });

  it('that was one of the others has a name as soon as there may be more', () => {
    const routes = new Routes(1);
    const ask = (url: string): void => routes.find({ method: 'GET', url }, 200).count(200, 1);
    for (const url of ['/a', '/b', '/b']) ask(url);
    routes.most = 2;
    for (const url of ['/b', '/c']) ask(url);
    assert.deepEqual(counts(routes), ['GET /a 001000', 'GET other 003000', 'GET /b 001000']);
  });
});
