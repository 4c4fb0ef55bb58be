import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { collect, put } from './suite-support.ts';
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

test('each file bears the mark of this app, as it is made and as it gets new content', async () => {
  if (place === undefined) throw new Error('no server');
  const { items } = place.server.state;
  const backend = place.fresh();
  const marked = (name: string): unknown => [...items.values()].find((item) => item.name === name)?.appProperties;
  await uploadBytes(backend, 'server/marked', Buffer.from('one'));
  expect(marked('marked')).toEqual({ holdfast: '1' });
  for (const item of items.values()) item.appProperties = {};
  await uploadBytes(backend, 'server/marked', Buffer.from('two'));
  expect(marked('marked')).toEqual({ holdfast: '1' });
});

test('a folder in decomposed letters, as macOS gives them, is the same folder as in composed ones', async () => {
  if (place === undefined) throw new Error('no server');
  const end = randomBytes(6).toString('hex');
  await put(place.fresh({ folder: `Bu\u0308ro ${end}` }), 'world/a', Buffer.from('one'));
  expect((await collect(place.fresh({ folder: `B\u00fcro ${end}` }).list(''))).map(({ key }) => key)).toEqual(['world/a']);
});
