import { Fault } from '../../contract/faults.ts';
import { plainSize, sealedRange, Unsealer } from '../archive/seal.ts';
import type { MessageKeys } from '../archive/seal.ts';
import { decodeSeekTable, seekTableLength, seekTableSize } from '../archive/seek-table.ts';
import type { FrameSize } from '../archive/seek-table.ts';
import type { UnpackArchive } from '../archive/unpacker.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { Zstd } from '../host.ts';
import type { Backend, ByteRange, ByteStream, CallOptions } from '../storage/backend.ts';
import { readBytes } from '../storage/read-object.ts';
import type { ManifestArchive } from './manifest.ts';

const maxDirectorySize = 2 ** 30;

/** The keys of an archive that a manifest names: from the head the manifest keeps, without asking the destination. */
export async function openArchive(vault: OpenVault, archive: ManifestArchive, frames: readonly FrameSize[] | null): Promise<UnpackArchive> {
  const head = Buffer.from(archive.head, 'base64');
  const opened = await vault.keyring.open(head, 'holdfast/v2/archive', archive.key);
  return { key: archive.key, size: archive.size, keys: opened.keys, head: opened.head, frames };
}

/** Plain bytes of a sealed object, by their place in the zstd stream. */
export async function readPlain(
  backend: Backend,
  archive: { readonly key: string; readonly size: number; readonly keys: MessageKeys },
  plain: ByteRange,
  options: CallOptions,
): Promise<Buffer> {
  const place = sealedRange(plain, archive.size);
  const sealed = await readBytes(backend, archive.key, { ...options, range: place.range, limit: place.range.length });
  const unsealer = new Unsealer(archive.keys, place.firstChunk);
  const pieces: Uint8Array[] = [];
  const emit = (bytes: Uint8Array): void => {
    pieces.push(bytes);
  };
  unsealer.update(sealed, emit);
  if (place.reachesEnd) unsealer.end(emit);
  else unsealer.endOfRange();
  return Buffer.concat(pieces).subarray(place.skip, place.skip + plain.length);
}

/** An archive's seek table, in one read of its end. Null when it has none; fault corrupt when it contradicts the manifest. */
export async function readSeekTable(
  backend: Backend,
  archive: { readonly key: string; readonly size: number; readonly keys: MessageKeys; readonly count: number },
  options: CallOptions,
): Promise<readonly FrameSize[] | null> {
  const total = plainSize(archive.size);
  const length = Math.min(seekTableSize(archive.count), total);
  const tail = await readPlain(backend, archive, { offset: total - length, length }, options);
  const frames = decodeSeekTable(tail, total);
  // A table that does not fit into what the manifest leaves for it speaks of more frames.
  if (frames === null ? seekTableLength(tail) !== null : frames.length !== archive.count) {
    throw new Fault(
      'corrupt',
      `${archive.key} has a seek table of ${frames?.length ?? 'more'} frames, its manifest says ${archive.count}`,
      {
        operation: 'read seek table',
        context: { object: archive.key },
      },
    );
  }
  return frames;
}

/** The central directory of an archive's ZIP, by range reads of its last frames: a million files have one of a hundred megabytes. */
export async function* readDirectory(zstd: Zstd, backend: Backend, archive: UnpackArchive, options: CallOptions): ByteStream {
  const { frames } = archive;
  if (frames === null) throw new Fault('corrupt', `${archive.key} has no seek table`, { operation: 'read ZIP directory' });
  const zipSize = frames.reduce((sum, { content }) => sum + content, 0);
  const tailSize = Math.min(zipSize, 98);
  const pieces: Uint8Array[] = [];
  for await (const piece of readZip(zstd, backend, archive, frames, { offset: zipSize - tailSize, length: tailSize }, options)) {
    pieces.push(Buffer.from(piece));
  }
  const tail = Buffer.concat(pieces);
  const refuse = (why: string): Fault =>
    new Fault('corrupt', `${archive.key}: its ZIP ${why}`, { operation: 'read ZIP directory', context: { object: archive.key } });
  if (tail.length < 98 || tail.readUInt32LE(0) !== 0x0606_4b50 || tail.readUInt32LE(76) !== 0x0605_4b50) throw refuse('has no end records');
  const length = Number(tail.readBigUInt64LE(40));
  const offset = Number(tail.readBigUInt64LE(48));
  if (length > maxDirectorySize || offset + length + tailSize !== zipSize) throw refuse('has end records that contradict its size');
  yield* readZip(zstd, backend, archive, frames, { offset, length }, options);
}

/** A stretch of the ZIP: the frames that hold it, one after the other. */
async function* readZip(
  zstd: Zstd,
  backend: Backend,
  archive: UnpackArchive,
  frames: readonly FrameSize[],
  zip: ByteRange,
  options: CallOptions,
): ByteStream {
  const end = zip.offset + zip.length;
  let zipAt = 0;
  let storedAt = 0;
  for (const { stored, content } of frames) {
    if (zipAt >= end) return;
    if (zipAt + content > zip.offset) {
      const compressed = await readPlain(backend, archive, { offset: storedAt, length: stored }, options);
      let at = zipAt;
      for await (const piece of zstd.decompress(once(compressed))) {
        yield piece.subarray(Math.max(0, zip.offset - at), Math.max(0, end - at));
        at += piece.length;
      }
      // What a frame holds beyond, or short of, what the table says would move all that follows.
      if (at !== zipAt + content)
        throw new Fault('corrupt', `${archive.key}: a frame is not as long as its seek table says`, { operation: 'read ZIP' });
    }
    zipAt += content;
    storedAt += stored;
  }
  if (zipAt < end) throw new Fault('corrupt', `${archive.key}: its ZIP is shorter than it says`, { operation: 'read ZIP' });
}

async function* once(bytes: Uint8Array): ByteStream {
  yield bytes;
}

/** Stored bytes of an archive. Where the object is shorter than its manifest says, the stream just ends early. */
export async function readStored(backend: Backend, key: string, range: ByteRange, options: CallOptions): Promise<ByteStream> {
  try {
    return await firstPiece(await backend.read(key, { ...options, range }));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'range-invalid') throw error;
  }
  const { size } = await backend.stat(key, options);
  if (size <= range.offset) return nothing();
  return backend.read(key, { ...options, range: { offset: range.offset, length: size - range.offset } });
}

/** A backend may say that a range is wrong only when it is first read. */
async function firstPiece(stream: ByteStream): Promise<ByteStream> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let piece = first; piece.done !== true; piece = await iterator.next()) yield piece.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

async function* nothing(): ByteStream {}
