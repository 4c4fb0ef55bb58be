import { expect } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { BackupRequest } from '../../main/contract/reports.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { seeTree } from './compare-trees.ts';
import { keysOf, newStateDir, world, type World, type WorldOptions } from './engine-on-memory.ts';
import { tempFolder } from './temp-folder.ts';

export const hour = 3_600_000;

/** An engine to whose threads everything that exists now is an hour old, so that no entry is racy. */
export function anHourLater(options: WorldOptions = {}): World {
  return world({
    backend: memoryBackend(),
    stateDir: newStateDir(),
    ...options,
    host: { packer: threadPacker({ clockOffset: hour }), scan: threadScan({ clockOffset: hour }), ...options.host },
  });
}

/** The newest snapshot, or the one named, restores to what the folder is now. */
export async function expectRestored(one: World, source: string, request: { readonly snapshot?: string } = {}): Promise<void> {
  const target = `${tempFolder()}/back`;
  await one.restore(target, request);
  expect(seeTree(target, { owners: false })).toEqual(seeTree(source, { owners: false }));
}

/** The same, and a verification finds nothing. */
export async function expectSame(one: World, source: string, request: { readonly snapshot?: string } = {}): Promise<void> {
  await expectRestored(one, source, request);
  expect((await one.verify({ snapshot: 'latest', ...request })).damage).toEqual([]);
}

/** Bytes of archives that a run added. */
export async function sent(one: World, source: string, request: Partial<BackupRequest> = {}): Promise<number> {
  const { archives } = await one.backup(source, request);
  let bytes = 0;
  for await (const { key, size } of one.backend.list('')) if (archives.includes(key)) bytes += size;
  return bytes;
}

export const archivesOf = async (one: World): Promise<string[]> => (await keysOf(one.backend)).filter((key) => key.endsWith('.holdfast'));

/** What an archive is without its seal and compression. */
export async function zipOf(one: World, key: string): Promise<Buffer> {
  const bytes = await readBytes(one.backend, key, { limit: 2 ** 30 });
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const { content } = await one.engine.openFile(source(), { credentials: one.destination.credentials }, {});
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}
