import { closeSync, openSync, unlinkSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { read, write } from 'node:fs';
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

/** A file without a name: it is unlinked at once, so that nothing is left whatever happens to the process. */
export function openSpool(folder = tmpdir()): FileSpool {
  const path = join(folder, `holdfast-${randomBytes(8).toString('hex')}.spool`);
  const handle = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
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
        done += (await writeAt(handle, bytes, done, bytes.length - done, size + done)).bytesWritten;
      }
      size += bytes.length;
    },
    async dispose() {
      if (open) closeSync(handle);
      open = false;
    },
  };
}
