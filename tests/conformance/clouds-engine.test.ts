import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { openB2Place, testBucket } from '../support/clouds/backblaze-b2/place.ts';
import { openDropboxPlace } from '../support/clouds/dropbox/place.ts';
import { openDrivePlace } from '../support/clouds/google-drive/place.ts';
import { keysOf, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** What the engine makes of what only these providers do, or what may happen to the bytes that they keep. */

interface Kept {
  readonly backend: Backend;
  readonly flipBit: (key: string, offset: number) => Promise<void>;
}

const clouds: readonly { readonly name: string; readonly open: () => Promise<Kept> }[] = [
  {
    name: 'Google Drive',
    async open() {
      const place = await openDrivePlace();
      onTestFinished(() => place.close());
      // Names are no keys there; this one is there once.
      const flipBit: Kept['flipBit'] = (key, offset) => place.server.flipBit(key.slice(key.lastIndexOf('/') + 1), offset);
      return { backend: place.fresh(), flipBit };
    },
  },
  {
    name: 'Dropbox',
    async open() {
      const place = await openDropboxPlace();
      onTestFinished(() => place.close());
      return { backend: place.fresh({ folder: 'flipped' }), flipBit: (key, offset) => place.server.flipBit(`/flipped/${key}`, offset) };
    },
  },
  {
    name: 'Backblaze B2',
    async open() {
      const place = await openB2Place();
      onTestFinished(() => place.close());
      const flipBit: Kept['flipBit'] = (key, offset) => place.server.flipBit(testBucket, `flipped/${key}`, offset);
      return { backend: place.fresh({ prefix: 'flipped' }), flipBit };
    },
  },
];

/** Nothing of it can be compressed. */
function growing(): { readonly folder: string; grow(name: string): Buffer } {
  const folder = tempFolder();
  return {
    folder,
    grow(name) {
      const bytes = randomBytes(200_000);
      writeFileSync(join(folder, name), bytes);
      return bytes;
    },
  };
}

const archivesOf = async (backend: Backend): Promise<readonly string[]> =>
  (await keysOf(backend, 'survival/')).filter((key) => key.endsWith('.holdfast'));

describe.each(clouds)('$name', ({ open }) => {
  test('a bit that has turned over in an archive is found by verify, which names the file', async () => {
    const { backend, flipBit } = await open();
    const source = growing();
    source.grow('level.dat');
    const one = world({ backend });
    await one.backup(source.folder);
    expect((await one.verify()).damage).toEqual([]);
    const [archive = ''] = await archivesOf(backend);
    await flipBit(archive, 100_000);
    const { damage, snapshots } = await one.verify();
    expect(snapshots.map(({ ok }) => ok)).toEqual([false]);
    expect(JSON.stringify(damage)).toContain('level.dat');
  });
});

interface Lagging {
  readonly backend: Backend;
  /** From now on no listing shows archives that are not there yet. */
  readonly lag: () => void;
  readonly catchUp: () => void;
}

const lagging: readonly { readonly name: string; readonly open: () => Promise<Lagging> }[] = [
  {
    name: 'Google Drive',
    async open() {
      const place = await openDrivePlace();
      onTestFinished(() => place.close());
      const { server } = place;
      return {
        backend: place.fresh(),
        lag: () => {
          const listed = new Set([...server.state.items.keys()]);
          server.hidden = ({ id, name }) => !listed.has(id) && name.endsWith('.holdfast');
        },
        catchUp: () => (server.hidden = () => false),
      };
    },
  },
  {
    name: 'Dropbox',
    async open() {
      const place = await openDropboxPlace();
      onTestFinished(() => place.close());
      const { server } = place;
      const whole = server.tamper;
      return {
        backend: place.fresh({ folder: 'lagging' }),
        lag: () => {
          const listed = new Set([...server.state.files.keys()]);
          const isShown = ({ path_lower: path = '' }: { path_lower?: string }): boolean => listed.has(path) || !path.endsWith('.holdfast');
          server.tamper = (route, body) => {
            const page = body as { entries: { path_lower?: string }[] };
            return /^files\/list_folder/.test(route) ? { ...page, entries: page.entries.filter(isShown) } : body;
          };
        },
        catchUp: () => (server.tamper = whole),
      };
    },
  },
];

// B2 lists what it has answered for, and even one name is asked for by a listing there.
describe.each(lagging)('$name, while its listings do not show new archives yet', ({ open }) => {
  async function restored(one: World, snapshot: string, name: string): Promise<Buffer> {
    const target = join(tempFolder(), 'back');
    await one.restore(target, { snapshot });
    return readFileSync(join(target, name));
  }

  test('two backups and a prune lose nothing: once all is listed each snapshot is whole', async () => {
    const { backend, lag, catchUp } = await open();
    const one = world({ backend });
    const source = growing();
    const first = source.grow('first');
    const whole = await one.backup(source.folder);
    lag();

    const second = source.grow('second');
    const incremental = await one.backup(source.folder);
    const third = source.grow('third');
    const next = await one.backup(source.folder);
    const pruned = await one.prune({ policy: { last: 1 } });

    catchUp();
    const ids = [whole, incremental, next].map(({ id }) => id);
    // Of the newer ones it cannot be known whether their archives are gone for good, so that nothing is removed for their sake.
    expect([pruned.keep.map(({ id }) => id), pruned.remove, pruned.objects]).toEqual([[whole.id], [], []]);
    expect((await one.engine.snapshots(one.destination, {}, {})).map(({ id, complete }) => [id, complete])).toEqual(
      ids.map((id) => [id, true]),
    );
    expect((await one.verify()).damage).toEqual([]);
    expect((await restored(one, next.id, 'third')).equals(third)).toBe(true);
    expect((await restored(one, next.id, 'second')).equals(second)).toBe(true);
    for (const id of ids) expect((await restored(one, id, 'first')).equals(first)).toBe(true);
  });
});
