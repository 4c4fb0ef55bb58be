import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped, manifestLines } from '../support/damage.ts';
import { backupRequest, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectRestored, sent } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;
const timeout = 600_000;
/** What a run stores besides content and its seal: headers, directory, seek table. */
const overhead = 8192;
let source = '';
let file = '';
let one: World;

beforeEach(() => {
  source = tempFolder();
  file = join(source, 'db');
  one = anHourLater();
});

/** Writes over what is there, or behind it. */
function write(at: number, bytes: Buffer, path = file): void {
  const handle = openSync(path, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

async function lines(id: string, from: World = one): ReturnType<typeof manifestLines> {
  return await manifestLines(from, await readBytes(from.backend, `survival/${id}.manifest`, { limit: 2 ** 30 }));
}

/** The newest snapshot restores, and its manifest has the hashes that the content has. */
async function expectPieces(path = 'db'): Promise<void> {
  await expectRestored(one, source);
  const [newest] = (await one.engine.snapshots(one.destination, {}, {})).toReversed();
  const entry = (await lines(newest?.id ?? '')).entries.find((candidate) => candidate.path === path);
  const bytes = readFileSync(join(source, path));
  const hashes: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += mib)
    hashes.push(
      createHash('sha256')
        .update(bytes.subarray(at, at + mib))
        .digest(),
    );
  expect(entry?.pieces).toBe(bytes.length > 8 * mib ? Buffer.concat(hashes).toString('base64') : undefined);
}

describe('of a large file a run sends the pieces that have changed', () => {
  const small = 12 * mib + 1234;
  const edits: readonly (readonly [what: string, edit: () => void, pieces: number])[] = [
    ['nothing but its time', () => utimesSync(file, 1_700_000_000, 1_700_000_000), 0],
    ['a byte in its middle', () => write(6 * mib, noise(2, 1)), 1],
    ['bytes around the border of two pieces, and the last one', () => [5 * mib - 1, small - 1].map((at) => write(at, noise(3, 2))), 3],
    ['more behind its end', () => appendFileSync(file, noise(4, 2 * mib)), 3],
    ['less at its end', () => truncateSync(file, 9 * mib + 5), 1],
    ['so much less that it is compared as a whole', () => truncateSync(file, 7 * mib), 7],
    ['all of it', () => writeFileSync(file, noise(5, small)), 13],
    ['all of it but its first piece and its end', () => write(mib, noise(6, 11 * mib)), 11],
    ['a hole behind its end', () => truncateSync(file, 40 * mib), 1],
    ['all of it, gone', () => truncateSync(file, 0), 0],
  ];
  test.each(edits)('%s', { timeout }, async (_what, edit, pieces) => {
    writeFileSync(file, noise(1, small));
    await one.backup(source);
    edit();
    const bytes = await sent(one, source);
    expect(bytes).toBeLessThanOrEqual(pieces * mib * 1.001 + overhead);
    if (pieces > 0) expect(bytes).toBeGreaterThan((pieces - 1) * mib);
    await expectPieces();
  });

  test('of 100 MB, 3 MiB in three places', { timeout }, async () => {
    writeFileSync(file, noise(1, 100_000_000));
    await one.backup(source);
    for (const at of [0, 33 * mib, 90 * mib]) write(at, noise(at + 2, mib));
    const report = await one.backup(source);
    expect(report.storedBytes).toBeLessThan(4 * mib);
    expect(report.kept).toEqual({ files: 0, bytes: 100_000_000 - 3 * mib });
    await expectPieces();
  });

  test('that grew past 8 MiB, from then on', { timeout }, async () => {
    writeFileSync(file, noise(1, 8 * mib));
    await one.backup(source);
    appendFileSync(file, noise(2, 10));
    expect(await sent(one, source)).toBeGreaterThan(8 * mib);
    await expectPieces();
    appendFileSync(file, noise(3, 10));
    expect(await sent(one, source)).toBeLessThan(overhead);
    await expectPieces();
  });

  test('over many runs, volumes and levels, and every one of them restores', { timeout }, async () => {
    const volumes = { volumeSize: 5 * mib + 77 };
    writeFileSync(file, noise(1, 14 * mib));
    const states = [{ id: (await one.backup(source, volumes)).id, content: readFileSync(file) }];
    for (const level of [3, 9, 1]) {
      write(level * mib + 5, noise(level, 2 * mib));
      appendFileSync(file, noise(level + 20, mib / 2));
      const { id, archives } = await one.backup(source, { ...volumes, level });
      expect(archives.length).toBeLessThan(3);
      states.push({ id, content: readFileSync(file) });
    }
    for (const { id, content } of states) {
      const target = join(tempFolder(), 'back');
      await one.restore(target, { snapshot: id });
      expect(readFileSync(join(target, 'db')).equals(content)).toBe(true);
    }
    await one.prune({ policy: { last: 1 } });
    await expectRestored(one, source);
  });

  test('for two destinations at once', { timeout }, async () => {
    const places: OpenDestination[] = ['one', 'two'].map((place) => ({
      backend: memoryBackend(),
      credentials: { kind: 'password', password: place },
      settings: { place },
    }));
    writeFileSync(file, noise(1, 9 * mib));
    await one.engine.backupToAll(places, backupRequest(source), {});
    write(3 * mib, noise(2, 9));
    for (const report of await one.engine.backupToAll(places, backupRequest(source), {})) {
      if (report instanceof Fault) throw report;
      expect(report.storedBytes).toBeLessThan(mib + overhead);
      expect(report.kept.bytes).toBe(8 * mib);
    }
    for (const { backend, credentials } of places) await expectRestored(anHourLater({ backend, credentials }), source);
  });

  test('whose path begins with the reserved name', { timeout }, async () => {
    mkdirSync(join(source, '.holdfast'));
    file = join(source, '.holdfast', 'db');
    writeFileSync(file, noise(1, 9 * mib));
    await one.backup(source);
    write(2 * mib, noise(2, 9));
    expect(await sent(one, source)).toBeLessThan(mib + overhead);
    await expectPieces('.holdfast/db');
  });
});

test('a piece whose archive was found damaged is sent again, and the others stay where they are', { timeout }, async () => {
  writeFileSync(file, noise(1, 10 * mib));
  await one.backup(source);
  appendFileSync(file, noise(2, 2 * mib));
  const { archives } = await one.backup(source);
  const [second = ''] = archives;
  const bytes = Buffer.from(await readBytes(one.backend, second, { limit: 2 ** 30 }));
  await put(one.backend, second, flipped(bytes, mib));
  await put(one.backend, `${second}.damaged`, Buffer.alloc(0));
  const again = await sent(one, source);
  expect(again).toBeGreaterThan(2 * mib);
  expect(again).toBeLessThan(2 * mib + overhead);
  await expectPieces();
});

test('a file that changes while it is read is in the snapshot as it was read, and the next run has it as it is', { timeout }, async () => {
  writeFileSync(file, noise(1, 40 * mib));
  await one.backup(source);
  write(0, noise(2, 24 * mib));
  const { backend } = one;
  let struck = false;
  const meddling: Backend = {
    ...backend,
    beginUpload: async (key, options) => {
      if (!struck && key.endsWith('.holdfast')) {
        // The reader is in the midst of it: it cannot be further ahead than its frames.
        for (let at = 20; at < 40; at += 3) write(at * mib, noise(at, mib / 2));
        truncateSync(file, 39 * mib);
        struck = true;
      }
      return await backend.beginUpload(key, options);
    },
  };
  const report = await anHourLater({ backend: meddling }).backup(source);
  expect(report.warnings.map(({ code }) => code)).toEqual(['shrank']);
  const target = join(tempFolder(), 'back');
  await one.restore(target);
  expect(statSync(join(target, 'db')).size).toBe(39 * mib);
  expect(await sent(one, source)).toBeLessThan(21 * mib);
  await expectPieces();
});
