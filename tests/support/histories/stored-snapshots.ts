import { createHash } from 'node:crypto';
import { nativeZstd } from '../../../main/adapters/compute/zstd.ts';
import type { OpenVault } from '../../../main/engine/archive/vault.ts';
import type { ManifestEntry } from '../../../main/engine/snapshots/manifest-entry.ts';
import { parsePartialHeader, type ManifestHeader, type PartialHeader } from '../../../main/engine/snapshots/manifest.ts';
import { checkedFirstLine, openManifest, splitLines } from '../../../main/engine/snapshots/manifest-store.ts';
import { parseEntry } from '../../../main/engine/snapshots/read-entry.ts';
import { openSealed } from '../../../main/engine/snapshots/sealed-object.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { headSize, sealedChunk } from '../damage.ts';

const plainChunk = 16_384;

export interface ReadSnapshot {
  readonly header: ManifestHeader;
  readonly entries: readonly ManifestEntry[];
}

/** What an unfinished run has written down of a volume. */
export interface ReadPartial {
  readonly header: PartialHeader;
  readonly entries: readonly ManifestEntry[];
}

/** A destination's snapshots as docs/format.md tells how to read them: file after file out of its extents, without the threads that restores use. */
export class StoredSnapshots {
  readonly #backend: Backend;
  readonly #vault: OpenVault;
  /** The zstd streams of archives as they were written, whatever has become of them. */
  readonly #streams = new Map<string, Buffer>();
  readonly #frames = new Map<string, Buffer>();
  readonly #sums = new Map<string, string>();
  /** What this test has done to archives: the byte that it has altered, or null for one that it has taken away. */
  readonly #harmed = new Map<string, number | null>();

  constructor(backend: Backend, vault: OpenVault) {
    this.#backend = backend;
    this.#vault = vault;
  }

  /** Keeps the archives that this manifest names, before anything happens to them. */
  async read(manifest: string): Promise<ReadSnapshot> {
    const reader = await openManifest(nativeZstd, this.#backend, this.#vault, manifest, {});
    const entries: ManifestEntry[] = [];
    for await (const entry of reader.entries()) entries.push(entry);
    for (const { key } of reader.header.archives) if (!this.#harmed.has(key)) await this.#stream(key);
    return { header: reader.header, entries };
  }

  async readPartial(key: string): Promise<ReadPartial> {
    const { plain } = await openSealed(this.#backend, this.#vault, 'holdfast/v2/partial', key, {});
    const lines = splitLines(nativeZstd.decompress(plain), key);
    const header = checkedFirstLine(await lines.next(), key, parsePartialHeader);
    const entries: ManifestEntry[] = [];
    for await (const line of lines) entries.push(parseEntry(line.toString('utf8'), key, true));
    return { header, entries };
  }

  harm(archive: string, byte: number | null): void {
    this.#harmed.set(archive, byte);
  }

  isHarmed(archive: string): boolean {
    return this.#harmed.has(archive);
  }

  /** It was this test that took it away: one that is only damaged has to be there. */
  isTakenAway(archive: string): boolean {
    return this.#harmed.get(archive) === null;
  }

  /** Whether an entry's data lie in nothing that was harmed. */
  isWhole({ header }: ReadSnapshot, { extents }: ManifestEntry): boolean {
    return extents.every(([number, offset, length]) => {
      const byte = this.#harmed.get(header.archives[number]?.key ?? '');
      if (byte === undefined) return true;
      if (byte === null) return false;
      const chunk = Math.floor((byte - headSize) / sealedChunk) * plainChunk;
      return offset + length <= chunk || offset >= chunk + plainChunk;
    });
  }

  /** SHA-256 of a file's content, as its extents put it together. */
  async sha256Of(snapshot: ReadSnapshot, entry: ManifestEntry): Promise<string> {
    const places = JSON.stringify(entry.extents.map(([number, ...place]) => [snapshot.header.archives[number]?.key, ...place]));
    const known = this.#sums.get(places) ?? (await this.#sumOf(snapshot, entry));
    this.#sums.set(places, known);
    return known;
  }

  async #sumOf({ header }: ReadSnapshot, { extents }: ManifestEntry): Promise<string> {
    const sum = createHash('sha256');
    for (const [number, offset, length, from, size] of extents) {
      const frame = await this.#frame(header.archives[number]?.key ?? '', offset, length);
      if (from + size > frame.length) throw new Error('an extent leads out of its frame');
      sum.update(frame.subarray(from, from + size));
    }
    return sum.digest('hex');
  }

  async #stream(key: string): Promise<Buffer> {
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const { plain } = await openSealed(this.#backend, this.#vault, 'holdfast/v2/archive', key, {});
    const stream = await collected(plain);
    this.#streams.set(key, stream);
    return stream;
  }

  async #frame(key: string, offset: number, length: number): Promise<Buffer> {
    const name = `${key} ${offset}`;
    const known = this.#frames.get(name);
    if (known !== undefined) return known;
    const stream = await this.#stream(key);
    async function* stored(): AsyncGenerator<Uint8Array> {
      yield stream.subarray(offset, offset + length);
    }
    const frame = await collected(nativeZstd.decompress(stored()));
    this.#frames.set(name, frame);
    return frame;
  }
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}
