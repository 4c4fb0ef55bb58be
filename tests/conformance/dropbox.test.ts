import { afterAll, beforeAll } from 'vitest';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { describeBackend } from './suite.ts';

let place: DropboxPlace | undefined;
beforeAll(async () => {
  place = await openDropboxPlace();
});
afterAll(() => place?.close());

// Names differ by more than case: Dropbox has one file for both spellings.
describeBackend(
  'dropbox',
  () => {
    if (place === undefined) throw new Error('no server');
    return Promise.resolve({ backend: place.fresh() });
  },
  { tellsOpenUploads: false },
);
