import { afterAll, beforeAll, expect, test } from 'vitest';
import { openB2Place, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { describeBackend } from './suite.ts';

let place: B2Place | undefined;
beforeAll(async () => {
  place = await openB2Place();
});
afterAll(() => place?.close());

describeBackend('backblaze-b2', () => {
  if (place === undefined) throw new Error('no server');
  return Promise.resolve({ backend: place.fresh() });
});

test('no upload URL served two uploads at once, or one after it had failed', () => {
  expect(place?.server.misuses).toEqual([]);
});
