import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { isForbidden, isMissing } from '../compose/errno.ts';

const operation = 'open a sealed file';
const pieceBytes = 1024 * 1024;
/** A vault holds 92 bytes a record; one of this size is none. */
const maxVaultBytes = 1024 * 1024;

export interface SealedFile {
  readonly path: string;
  readonly size: number;
  /** To be read once. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Lower-case hex of all the stored bytes, once `content` has been read. */
  readonly sha256: () => Promise<string>;
}

/** Faults: not-found, permission-denied, config-invalid for what is no file. */
export async function readSealedFile(path: string): Promise<SealedFile> {
  const info = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!info.isFile()) throw new Fault('config-invalid', `${path} is not a file`, { operation, context: { file: path } });
  const hash = createHash('sha256');
  let whole = false;
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        yield piece;
      }
      whole = true;
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  let sha256: Promise<string> | null = null;
  return {
    path,
    size: info.size,
    content: content(),
    sha256: () => (sha256 ??= whole ? Promise.resolve(hash.digest('hex')) : hashOfFile(path)),
  };
}

/** What the checksum file beside `path` says, lower-case hex; null when there is none, fault corrupt when it says nothing. */
export async function recordedSha256(path: string): Promise<string | null> {
  const line = await readFile(`${path}.sha256`, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw unreadable(`${path}.sha256`, error);
  });
  if (line === null) return null;
  const match = /^([0-9a-f]{64})\b/i.exec(line);
  if (match?.[1] === undefined)
    throw new Fault('corrupt', `${path}.sha256 holds no SHA-256 line`, { operation, context: { file: `${path}.sha256` } });
  return match[1].toLowerCase();
}

/** The vault beside a sealed file: the one named, else `holdfast.vault` in its folder or the one above, else undefined. */
export async function findVault(path: string, named: string | undefined): Promise<Uint8Array | undefined> {
  const folder = dirname(path);
  const places = named === undefined ? [join(dirname(folder), 'holdfast.vault'), join(folder, 'holdfast.vault')] : [named];
  for (const place of places) {
    const info = await stat(place).catch((error: unknown) => {
      if (named === undefined && isMissing(error)) return null;
      throw unreadable(place, error);
    });
    if (info === null) continue;
    if (!info.isFile() || info.size > maxVaultBytes)
      throw new Fault('config-invalid', `${place} is not a vault`, { operation, context: { file: place } });
    return readFile(place);
  }
  return undefined;
}

/** For a reader that stopped before the end of the file. */
async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest('hex');
}

function unreadable(path: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const options = { operation, context: { file: path }, cause };
  if (isMissing(cause)) return new Fault('not-found', `${path} does not exist`, options);
  if (isForbidden(cause)) return new Fault('permission-denied', `${path} may not be read`, options);
  return new Fault('unexpected', `${path} cannot be read`, options);
}
