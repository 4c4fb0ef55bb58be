import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { keyProblem } from '../../main/engine/storage/object-key.ts';
import { openB2Place, testBucket } from '../support/clouds/backblaze-b2/place.ts';
import { openDropboxPlace } from '../support/clouds/dropbox/place.ts';
import { openDrivePlace } from '../support/clouds/google-drive/place.ts';
import { freshPlace, makeBucket, plainClient } from '../support/s3/destinations.ts';
import { startSwift, swiftMissing } from '../support/s3/swift.ts';
import { collect, get, put } from './suite-support.ts';

/** As people and other programs put them there. Some backends may take one for a key, and then have to find it under that. */
const foreign = ['note-ü.txt', 'a%2Fb.txt', 'c%2fd.txt', 'x%41.txt', 'half%', 'zz%zz', 'caf%c3%a9', 'line\nend'];

interface Ground {
  readonly backend: Backend;
  /** Stores something as `world/NAME`. Folders are there already. */
  plant(name: string): Promise<void> | void;
  close(): Promise<void>;
}

const grounds: Readonly<Record<string, () => Promise<Ground>>> = {
  async folder() {
    const base = mkdtempSync(join(tmpdir(), 'holdfast-foreign-'));
    mkdirSync(join(base, 'world'));
    const plant = (name: string): void => writeFileSync(join(base, 'world', name), '');
    return { backend: folderBackend(base), plant, close: async () => rmSync(base, { recursive: true }) };
  },
  async dropbox() {
    const place = await openDropboxPlace();
    const { state } = place.server;
    const plant = async (name: string): Promise<void> => {
      const blob = state.newBlob();
      writeFileSync(blob, '');
      await state.commit(`/Backups/world/${name}`, blob, 0, 'add', true);
    };
    return { backend: place.fresh({ folder: 'Backups' }), plant, close: () => place.close() };
  },
  async 'google-drive'() {
    const place = await openDrivePlace();
    const backend = place.fresh();
    const plant = async (name: string): Promise<void> => {
      await put(backend, 'world/to-be-renamed', Buffer.alloc(0));
      const item = [...place.server.state.items.values()].find((one) => one.name === 'to-be-renamed');
      if (item !== undefined) item.name = name;
    };
    return { backend, plant, close: () => place.close() };
  },
  async 'backblaze-b2'() {
    const place = await openB2Place();
    const plant = (name: string): void => place.server.plant(testBucket, `mine/world/${name}`);
    return { backend: place.fresh({ prefix: 'mine' }), plant, close: () => place.close() };
  },
  async s3() {
    const swift = await startSwift();
    const bucket = await makeBucket(swift.endpoint);
    const s3 = plainClient(swift.endpoint);
    const plant = async (name: string): Promise<void> => {
      await s3.putObject({ Bucket: bucket, Key: `mine/world/${name}`, Body: 'x' });
    };
    const close = async (): Promise<void> => {
      s3.destroy();
      swift.stop();
    };
    return { backend: freshPlace(swift.endpoint, bucket, { prefix: 'mine' }), plant, close };
  },
};

test.each(Object.keys(grounds).filter((name) => name !== 's3' || swiftMissing === ''))(
  '%s: beside names that others made, each key of a listing is one, and finds what was listed',
  async (name) => {
    const ground = await grounds[name]?.();
    if (ground === undefined) throw new Error('no such ground');
    const { backend } = ground;
    try {
      await put(backend, 'world/ours %2f\\.', Buffer.from('ours'));
      for (const one of foreign) await ground.plant(one);
      const listed = await collect(backend.list('world/'));
      const keys = listed.map(({ key }) => key);
      expect(keys.map(keyProblem).filter((problem) => problem !== null)).toEqual([]);
      expect(keys).toContain('world/ours %2f\\.');
      for (const { key, size } of listed) {
        expect([key, (await backend.stat(key)).size, (await get(backend, key)).length]).toEqual([key, size, size]);
      }
    } finally {
      await ground.close();
    }
  },
);
