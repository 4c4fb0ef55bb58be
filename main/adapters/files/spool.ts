import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, read, statfsSync, unlinkSync, write, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../../contract/faults.ts';
import type { Spool } from '../../engine/archive/packer.ts';
import type { ByteStream } from '../../engine/storage/backend.ts';

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

/** TMPDIR where it is set; else /var/tmp, because /tmp is memory on many machines and a classic ZIP is as large as its server. */
function spoolFolder(): string {
  return process.env['TMPDIR'] === undefined && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
}

/** A temporary file that cannot be made or written, as a fault that says where. */
export function spoolFault(cause: unknown, folder = spoolFolder()): Fault {
  const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  const reason = cause instanceof Error ? cause.message : String(cause);
  const options = { operation: 'write temporary file', context: { folder }, cause };
  if (full) return new Fault('disk-full', `no space left for temporary files in ${folder} (TMPDIR names another place)`, options);
  return new Fault('permission-denied', `temporary files cannot be written in ${folder}: ${reason} (TMPDIR names another place)`, options);
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
 * A file without a name: it is unlinked at once, so that nothing is left whatever happens to the process. Fault disk-full where fewer than `room` bytes are
 * free for it.
 */
export function openSpool(folder = spoolFolder(), room = 0): FileSpool {
  if (room > 0) refuseWithout(room, folder);
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

function refuseWithout(room: number, folder: string): void {
  const free = freeIn(folder);
  if (free >= room) return;
  const message = `temporary files will take at least ${room} bytes in ${folder}, and ${free} are free there (TMPDIR names another place)`;
  throw new Fault('disk-full', message, { operation: 'write temporary file', context: { folder, neededBytes: room, freeBytes: free } });
}

function freeIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    throw spoolFault(error, folder);
  }
}

function openUnnamed(folder: string): number {
  const path = join(folder, `holdfast-${randomBytes(8).toString('hex')}.spool`);
  try {
    const handle = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return handle;
  } catch (error) {
    throw spoolFault(error, folder);
  }
}
