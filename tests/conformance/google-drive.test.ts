import { afterAll, beforeAll } from 'vitest';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { describeBackend } from './suite.ts';

let place: DrivePlace | undefined;
beforeAll(async () => {
  place = await openDrivePlace();
});
afterAll(() => place?.close());

// Drive has no condition that two who create at the same moment could not both pass: each looks afterwards, and the later one gives way.
describeBackend(
  'google-drive',
  () => {
    if (place === undefined) throw new Error('no server');
    return Promise.resolve({ backend: place.fresh() });
  },
  { tellsOpenUploads: false, mostBuffers: 90_000_000 },
);
