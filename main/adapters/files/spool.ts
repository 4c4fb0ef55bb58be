import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, read, unlinkSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../contract/faults.ts';
import type { Spool } from '../../engine/archive/packer.ts';
import type { SpoolNeeds } from '../../engine/host.ts';
import type { ByteStream } from '../../engine/storage/backend.ts';
import { isErrno } from './file-calls.ts';
import { refuseWithout, roomGuard, spoolFault, spoolFolder } from './spool-room.ts';

const readAt = promisify(read);
const writeAt = promisify(write);
const pieceSize = 256 * 1024;

/** A spool whose handle can be given to worker threads: handles belong to the process. */
export interface FileSpool extends Spool {
  readonly handle: number;
  /** Bytes from `offset`, `length` of them. */
  readRange(offset: number, length: number): Promise<Buffer>;
  append(bytes: Uint8Array): Promise<void>;
  /** Set by whoever wrote through the handle. */
  setSize(size: number): void;
}

/** All of the bytes, synchronously, for worker threads. Faults as spoolFault. */
export function writeSpool(handle: number, bytes: Uint8Array, position: number): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at, bytes.length - at, position + at);
  } catch (error) {
    throw spoolFault(error);
  }
}

/**
 * A file without a name, so that nothing is left whatever happens to the process. Fault disk-full where it cannot have what it
 * needs, here or, of unknown length, from append() on.
 */
export function openSpool(folder = spoolFolder(), { room = 0, unknownLength = false }: SpoolNeeds = {}): FileSpool {
  if (room > 0) refuseWithout(room, folder);
  const allow = unknownLength ? roomGuard(folder) : null;
  const handle = openUnnamed(folder);
  let size = 0;
  let open = true;

  async function readRange(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await readAt(handle, buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'read spool' });
      filled += bytesRead;
    }
    return buffer;
  }

  async function* readAll(): ByteStream {
    for (let offset = 0; offset < size; offset += pieceSize) yield await readRange(offset, Math.min(pieceSize, size - offset));
  }

  return {
    handle,
    get size() {
      return size;
    },
    setSize(bytes) {
      size = bytes;
    },
    read: readAll,
    readRange,
    async append(bytes) {
      allow?.(bytes.length);
      for (let done = 0; done < bytes.length;) {
        try {
          done += (await writeAt(handle, bytes, done, bytes.length - done, size + done)).bytesWritten;
        } catch (error) {
          throw spoolFault(error, folder);
        }
      }
      size += bytes.length;
    },
    async dispose() {
      if (open) closeSync(handle);
      open = false;
    },
  };
}

/** O_TMPFILE of Linux, which Node does not name: a file that never has a name, so that not even a kill between two calls leaves one behind. */
const tmpFile = process.platform === 'linux' ? 0o20_000_000 | constants.O_DIRECTORY : null;

/** The handle of a file that has no name. Faults as spoolFault. */
export function openUnnamed(folder = spoolFolder()): number {
  if (tmpFile !== null) {
    try {
      return openSync(folder, tmpFile | constants.O_RDWR, 0o600);
    } catch (error) {
      // File systems like NFS cannot: there it gets a name for a moment. Whatever else is wrong is wrong with a name, too.
      if (!isErrno(error, 'EOPNOTSUPP', 'EISDIR', 'EINVAL')) throw spoolFault(error, folder);
    }
  }
  const path = join(folder, `holdfast-${randomBytes(8).toString('hex')}.spool`);
  try {
    const handle = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return handle;
  } catch (error) {
    throw spoolFault(error, folder);
  }
}
