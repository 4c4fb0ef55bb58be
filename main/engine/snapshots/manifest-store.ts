import { Fault } from '../../contract/faults.ts';
import type { Spool } from '../archive/packer.ts';
import type { OpenVault } from '../archive/vault.ts';
import { objectHeadSize, plainSize, sealedChunkSize } from '../archive/seal.ts';
import type { EngineHost, Zstd } from '../host.ts';
import type { Backend, ByteStream, CallOptions, ObjectInfo } from '../storage/backend.ts';
import { firstLineOf, maxFirstLine, parseManifestHeader } from './manifest.ts';
import type { ManifestHeader, PartialHeader } from './manifest.ts';
import { maxEntryLine, parseEntry } from './read-entry.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import { manifestKey, readObjectName } from './names.ts';
import { openSealed, storeSealed, type ReadOptions } from './sealed-object.ts';

/** Seals and uploads the manifest: the moment from which the snapshot counts. Fault config-invalid: too long for its readers. */
export async function writeManifest(
  host: Pick<EngineHost, 'zstd' | 'random'>,
  backend: Backend,
  vault: OpenVault,
  header: ManifestHeader,
  entryLines: Spool,
  options: CallOptions,
): Promise<ObjectInfo> {
  const key = manifestKey(header.slug, header.id);
  const plain = behindFirstLine(host.zstd, header, entryLines);
  return await storeSealed(host.random, backend, vault, { key, label: 'holdfast/v2/manifest', plain, sizeHint: entryLines.size }, options);
}

/** What a manifest or a partial is sealed of. Fault config-invalid, at once: the first line would be too long for its readers. */
export function behindFirstLine(zstd: Zstd, header: ManifestHeader | PartialHeader, lines: Pick<Spool, 'read'>): ByteStream {
  const firstLine = firstLineOf(header);
  return (async function* () {
    yield zstd.compress(firstLine);
    yield* lines.read();
  })();
}

export interface ManifestReader {
  readonly header: ManifestHeader;
  readonly repaired: boolean;
  entries(): AsyncGenerator<ManifestEntry>;
  /** Stops reading. */
  close(): Promise<void>;
}

/**
 * Opens a manifest and reads its first line. Faults: not-found, wrong-password, corrupt, truncated; corrupt as well when it says
 * that it is another snapshot's than its name does.
 */
export async function openManifest(
  zstd: Zstd,
  backend: Backend,
  vault: OpenVault,
  key: string,
  options: ReadOptions,
): Promise<ManifestReader> {
  const { repaired, plain } = await openSealed(backend, vault, 'holdfast/v2/manifest', key, options);
  const text = splitLines(zstd.decompress(plain), key);
  let header: ManifestHeader;
  try {
    header = readFirstLine(await text.next(), key);
  } catch (error) {
    await text.return(undefined);
    throw error;
  }
  return {
    header,
    repaired,
    entries: async function* () {
      for await (const line of text) yield parseEntry(line.toString('utf8'), key);
    },
    close: async () => {
      await text.return(undefined);
    },
  };
}

/** Faults: truncated, corrupt; corrupt as well when it says that it is another snapshot's than its name does. */
function readFirstLine(first: IteratorResult<Buffer>, key: string): ManifestHeader {
  return checkedFirstLine(first, key, parseManifestHeader);
}

/** The same of a manifest and of a partial. */
export function checkedFirstLine<Header extends Pick<ManifestHeader, 'id' | 'slug' | 'archives'>>(
  first: IteratorResult<Buffer>,
  key: string,
  parse: (line: string, name: string) => Header,
): Header {
  if (first.done === true)
    throw new Fault('truncated', `${key} has no first line`, { operation: 'read manifest', context: { object: key } });
  const header = parse(first.value.toString('utf8'), key);
  const name = readObjectName(key);
  if (name !== null && (header.id !== name.id || header.slug !== name.slug)) {
    throw new Fault('corrupt', `${key} is misplaced: it is that of ${header.slug}/${header.id}`, {
      operation: 'read manifest',
      context: { object: key },
    });
  }
  for (const archive of header.archives) {
    // Nothing outside of the server's own folder is ever read, whatever a manifest says.
    const named = readObjectName(archive.key);
    if (named?.kind === 'archive' && named.slug === header.slug) continue;
    throw new Fault('corrupt', `${key} names an archive that cannot be one of its server: ${archive.key}`, {
      operation: 'read manifest',
      context: { object: key },
    });
  }
  return header;
}

/**
 * In whole chunks: the rest of a cut one could not be told from one that was altered. Hardly ever more than the first, of 66 kB; one that rests on a month of
 * hourly runs needs the second, of 1 MB.
 */
const firstLineRanges = [4, 64].map((chunks) => objectHeadSize + chunks * sealedChunkSize);

/** Only the first line, from no more than it needs. Faults as openManifest. */
export async function readManifestHeader(
  zstd: Zstd,
  backend: Backend,
  vault: OpenVault,
  object: { readonly key: string; readonly size: number },
  options: CallOptions,
): Promise<ManifestHeader> {
  plainSize(object.size);
  for (const length of firstLineRanges.filter((bytes) => bytes < object.size)) {
    try {
      return await readFirst({ ...options, range: { offset: 0, length } });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'truncated') throw error;
    }
  }
  return await readFirst(options);

  async function readFirst(read: ReadOptions): Promise<ManifestHeader> {
    const reader = await openManifest(zstd, backend, vault, object.key, read);
    await reader.close();
    return reader.header;
  }
}

/** Reads a manifest to its end: the first line alone says nothing of the rest. Faults as openManifest. */
export async function checkWholeManifest(zstd: Zstd, backend: Backend, vault: OpenVault, key: string, options: ReadOptions): Promise<void> {
  const { plain } = await openSealed(backend, vault, 'holdfast/v2/manifest', key, options);
  const lines = splitLines(zstd.decompress(plain), key);
  readFirstLine(await lines.next(), key);
  for await (const line of lines)
    if (line.length === 0) throw new Fault('corrupt', `${key} has an empty line`, { operation: 'read manifest' });
}

/** A manifest that lies on this machine. */
export interface FetchedManifest {
  readonly header: ManifestHeader;
  /** Its sealed header was damaged, and was made good from the vault. */
  readonly repaired: boolean;
  /** zstd frames, the first line included; whoever fetched it disposes of it. */
  readonly spool: Spool;
}

/** Brings a whole manifest near, for threads that read it more than once. The caller disposes of the spool. */
export async function fetchManifest(
  host: Pick<EngineHost, 'zstd' | 'openSpool'>,
  backend: Backend,
  vault: OpenVault,
  key: string,
  options: ReadOptions,
): Promise<FetchedManifest> {
  const spool = host.openSpool();
  try {
    const { repaired, plain } = await openSealed(backend, vault, 'holdfast/v2/manifest', key, options);
    for await (const piece of plain) await spool.append(piece);
    const text = splitLines(host.zstd.decompress(spool.read()), key);
    const header = readFirstLine(await text.next(), key);
    await text.return(undefined);
    return { header, repaired, spool };
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}

/** Lines without their newline. A last line without one is fault truncated; a line beyond the format's limit is fault corrupt. */
export async function* splitLines(source: ByteStream, key: string): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let heldSize = 0;
  let limit = maxFirstLine;
  for await (const piece of source) {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    for (;;) {
      const end = rest.indexOf(10);
      if (end < 0) break;
      const line = heldSize === 0 ? rest.subarray(0, end) : Buffer.concat([...held, rest.subarray(0, end)]);
      held = [];
      heldSize = 0;
      rest = rest.subarray(end + 1);
      yield line;
      limit = maxEntryLine;
    }
    if (rest.length > 0) held.push(Buffer.from(rest));
    heldSize += rest.length;
    if (heldSize > limit)
      throw new Fault('corrupt', `${key} has a line that is too long`, { operation: 'read manifest', context: { object: key } });
  }
  if (heldSize > 0) throw new Fault('truncated', `${key} ends inside a line`, { operation: 'read manifest', context: { object: key } });
}
