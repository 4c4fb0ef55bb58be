import { createHash, randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import {
  chunkSize,
  deriveMessage,
  messageContext,
  messageSaltSize,
  objectHeadSize,
  seal,
  sealedChunkSize,
  Sealer,
  sealedSize,
  type Label,
} from '../../main/engine/archive/seal.ts';
import { createVault, vaultName, type OpenVault } from '../../main/engine/archive/vault.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import type { Extent } from '../../main/engine/snapshots/manifest-entry.ts';
import type { ManifestArchive, ManifestHeader } from '../../main/engine/snapshots/manifest.ts';
import { newSnapshotId } from '../../main/engine/snapshots/names.ts';
import { password } from './run-command.ts';

/*
 * Destinations that a backup of many gigabytes, or of a thousand nights, would leave, made in moments: the manifests are what it would write, line
 * for line, and the archives are holes in a file but for what is read of them.
 */

export interface MadePlace {
  readonly folder: string;
  readonly vault: OpenVault;
}

export interface MadeFile {
  readonly path: string;
  readonly size: number;
  readonly extents: readonly Extent[];
  /** Lower-case hex; random where nobody reads the file. */
  readonly sha256?: string;
}

export async function makePlace(folder: string): Promise<MadePlace> {
  const vault = await createVault(password, systemRandom, 100_000);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, vaultName), Buffer.concat(vault.records));
  return { folder, vault };
}

export const madeId = (time: number): string => newSnapshotId(time, systemRandom);

/** An archive of so many plain bytes, of which only those at `at` are there. */
export function writeArchive(
  { folder, vault }: MadePlace,
  key: string,
  plainBytes: number,
  there: { readonly at: number; readonly bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) },
): ManifestArchive {
  const salt = randomBytes(messageSaltSize);
  const keys = deriveMessage(vault.vaultKey, salt, messageContext('holdfast/v2/archive', vault.header));
  const head = Buffer.concat([vault.header, salt, keys.commitment]);
  const path = join(folder, key);
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w');
  const size = sealedSize(plainBytes);
  ftruncateSync(file, size);
  writeSync(file, head, 0, head.length, 0);
  const firstChunk = Math.floor(there.at / chunkSize);
  const chunks = Math.ceil((there.at + there.bytes.length) / chunkSize) - firstChunk;
  const plain = Buffer.alloc(chunks * chunkSize);
  there.bytes.copy(plain, there.at - firstChunk * chunkSize);
  const sealed: Uint8Array[] = [];
  new Sealer(keys, firstChunk).update(plain, (bytes) => sealed.push(bytes));
  writeSync(file, Buffer.concat(sealed), 0, undefined, objectHeadSize + firstChunk * sealedChunkSize);
  closeSync(file);
  // The checksum of the whole is of no use here: who restores a part does not read the whole.
  return { key, size, sha256: '0'.repeat(64), head: head.toString('base64'), zipSize: plainBytes, frames: 1 };
}

export async function writeMadeManifest(
  { folder, vault }: MadePlace,
  made: { readonly id: string; readonly slug: string; readonly time: number },
  archives: readonly ManifestArchive[],
  files: readonly MadeFile[],
): Promise<void> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const header: ManifestHeader = {
    ...{ holdfast: 'manifest', version: 1, id: made.id, server: made.slug, slug: made.slug, machine: 'bench', host: 'bench' },
    ...{ time: new Date(made.time).toISOString(), root: '/srv/bench', preset: null, excludes: [], hooks: [], warnings: [] },
    totals: { entries: files.length + 1, files: files.length, directories: 1, symlinks: 0, bytes },
    archives: [...archives],
  };
  const stamps = { mode: 0o644, uid: 1000, gid: 1000 };
  const root = { path: '.', type: 'directory', ...stamps, size: 0, mtime: '0', ctime: '0', inode: '2', extents: [] };
  const lines = files.map(({ path, size, extents, sha256 }, index) => {
    const time = String(BigInt(made.time) * 1_000_000n + BigInt(index) * 7_919_311n);
    const content = { size, mtime: time, ctime: time, inode: String(index + 3), sha256: sha256 ?? randomBytes(32).toString('hex') };
    return JSON.stringify({ path, type: 'file', ...stamps, ...content, extents });
  });
  const text = (some: readonly string[]): Uint8Array => nativeZstd.compress(Buffer.from(some.map((line) => `${line}\n`).join('')));
  const frames: Uint8Array[] = [Buffer.from(text([JSON.stringify(header)])), Buffer.from(text([JSON.stringify(root)]))];
  for (let at = 0; at < lines.length; at += 10_000) frames.push(Buffer.from(text(lines.slice(at, at + 10_000))));
  writeFileSync(join(folder, made.slug, `${made.id}.manifest`), await sealed(vault, 'holdfast/v2/manifest', Buffer.concat(frames)));
}

async function sealed(vault: OpenVault, label: Label, plain: Buffer): Promise<Buffer> {
  async function* once(): AsyncGenerator<Uint8Array> {
    yield plain;
  }
  const pieces: Uint8Array[] = [vault.header];
  for await (const piece of seal(once(), vault.vaultKey, randomBytes(messageSaltSize), messageContext(label, vault.header))) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
