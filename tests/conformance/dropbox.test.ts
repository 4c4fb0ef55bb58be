import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { codeOf, collect, get, patterned, put } from './suite-support.ts';
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

test('a folder in decomposed letters, as macOS gives them, is the same folder and loses nothing of its listing', async () => {
  if (place === undefined) throw new Error('no server');
  const end = randomBytes(6).toString('hex');
  const decomposed = place.fresh({ folder: `Bu\u0308ro/home ${end}` });
  await put(decomposed, 'world/snap.manifest', patterned(9));
  // In another case, in which one letter has become two.
  for (const backend of [decomposed, place.fresh({ folder: `B\u00fcro/home ${end}` }), place.fresh({ folder: `BU\u0308RO/Home ${end}` })]) {
    expect((await collect(backend.list(''))).map(({ key }) => key)).toEqual(['world/snap.manifest']);
    expect((await collect(backend.list('world/snap'))).map(({ key }) => key)).toEqual(['world/snap.manifest']);
    expect(await get(backend, 'world/snap.manifest')).toEqual(patterned(9));
  }
});

test('a folder whose name is longer in small letters keeps its listing, however it is spelt', async () => {
  if (place === undefined) throw new Error('no server');
  const end = randomBytes(6).toString('hex');
  await put(place.fresh({ folder: `\u0130zmir ${end}` }), 'world/a', patterned(3));
  const other = place.fresh({ folder: `i\u0307ZMIR ${end}` });
  expect((await collect(other.list(''))).map(({ key }) => key)).toEqual(['world/a']);
});

test('a listed file outside the folder is a fault: passed over, it could make a full folder look empty', async () => {
  if (place === undefined) throw new Error('no server');
  const { server } = place;
  const backend = place.fresh();
  await put(backend, 'world/a', patterned(3));
  server.tamper = (route, body) =>
    route === 'files/list_folder' ? JSON.parse(JSON.stringify(body).replaceAll('/B\u00e4ckups', '/elsewhere')) : body;
  try {
    expect(await codeOf(collect(backend.list('')))).toBe('unexpected');
  } finally {
    server.tamper = (_, body) => body;
  }
});

test('a folder in any writing, emoji too: what goes up is listed and comes down again', async () => {
  if (place === undefined) throw new Error('no server');
  const backend = place.fresh({ folder: `Резервные копии/世界 🏰 ${randomBytes(6).toString('hex')}` });
  await put(backend, 'world/snap.manifest', patterned(70_000));
  expect(await collect(backend.list('world/'))).toMatchObject([{ key: 'world/snap.manifest', size: 70_000 }]);
  expect(await get(backend, 'world/snap.manifest')).toEqual(patterned(70_000));
  expect(await get(backend, 'world/snap.manifest', { offset: 60_000, length: 10 })).toEqual(patterned(70_000).subarray(60_000, 60_010));
});
