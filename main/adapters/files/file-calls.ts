import { execFile } from 'node:child_process';
import { chmodSync, constants, lchownSync, linkSync, lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { setLinkTimes } from './exact-times.ts';
import { reaching } from './held-folders.ts';
import { longPathCalls } from './long-path-calls.ts';

/** A file being written. */
export interface WritableFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Returns once content and length would survive a loss of power. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every call by which a swap looks at or changes the file system. Paths are bytes: the names in a server's folder need not be
 * UTF-8. Behind an interface so that tests can stop the world at any one call.
 */
export interface FileCalls {
  lstat(path: Buffer): Promise<BigIntStats>;
  names(folder: Buffer): AsyncIterable<Buffer>;
  readlink(path: Buffer): Promise<Buffer>;
  readFile(path: Buffer): AsyncIterable<Buffer>;
  statfs(path: Buffer): Promise<{ readonly freeBytes: bigint; readonly freeFiles: bigint; readonly countsFiles: boolean }>;
  /** Whether entries of a folder may be listed, made and removed. */
  mayChange(folder: Buffer): Promise<boolean>;

  mkdir(path: Buffer, mode: number): Promise<void>;
  rename(from: Buffer, to: Buffer): Promise<void>;
  unlink(path: Buffer): Promise<void>;
  rmdir(path: Buffer): Promise<void>;
  link(existing: Buffer, path: Buffer): Promise<void>;
  symlink(target: Buffer, path: Buffer): Promise<void>;
  /** The content of a regular file; fails when `to` exists. */
  copy(from: Buffer, to: Buffer): Promise<void>;
  chmod(path: Buffer, mode: number): Promise<void>;
  lchown(path: Buffer, uid: number, gid: number): Promise<void>;
  /** Of the entry itself, also where it is a link; access time too. */
  setTimes(path: Buffer, mtimeNs: bigint): Promise<void>;
  /** Mode 0600; fails when it exists. */
  create(path: Buffer): Promise<WritableFile>;
  /** Makes the names in a folder survive a loss of power. */
  syncFolder(path: Buffer): Promise<void>;
  /** Makes everything written so far on this folder's file system survive a loss of power (syncfs). */
  syncFileSystem(folder: Buffer): Promise<void>;
}

/** Calls that are done in microseconds are made at once; through Node's thread pool they take ten times as long. */
const longestTurnMs = 10;
let turnBegan = 0;

/** Makes a quick call, after giving way to whatever else waits when the turn has lasted long enough. */
async function quickly<Result>(call: () => Result): Promise<Result> {
  if (performance.now() - turnBegan > longestTurnMs) {
    await nextTurn();
    turnBegan = performance.now();
  }
  return call();
}

/** The operating system's own. Whatever may take long (a removal frees a file's blocks) goes through the thread pool. */
const systemCalls: FileCalls = {
  lstat: (path) => quickly(() => lstatSync(path, { bigint: true })),
  async *names(folder) {
    // Node hands the names over as Buffers with this encoding, which its types do not know for opendir.
    const handle = await fs.opendir(folder, { encoding: 'buffer' as BufferEncoding });
    for await (const entry of handle) yield entry.name as unknown as Buffer;
  },
  readlink: (path) => quickly(() => readlinkSync(path, { encoding: 'buffer' })),
  async *readFile(path) {
    const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const piece = Buffer.allocUnsafe(65_536);
      for (;;) {
        const { bytesRead } = await handle.read(piece, 0, piece.length);
        if (bytesRead === 0) return;
        yield Buffer.from(piece.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
  },
  async statfs(path) {
    const found = await fs.statfs(path, { bigint: true });
    return { freeBytes: found.bavail * found.bsize, freeFiles: found.ffree, countsFiles: found.files > 0n };
  },
  async mayChange(folder) {
    try {
      await fs.access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
      return true;
    } catch (error) {
      if (isErrno(error, 'EACCES', 'EROFS', 'EPERM')) return false;
      throw error;
    }
  },

  mkdir: (path, mode) =>
    quickly(() => {
      mkdirSync(path, { mode });
    }),
  rename: (from, to) => quickly(() => renameSync(from, to)),
  unlink: (path) => fs.unlink(path),
  rmdir: (path) => fs.rmdir(path),
  link: (existing, path) => quickly(() => linkSync(existing, path)),
  symlink: (target, path) => quickly(() => symlinkSync(target, path)),
  copy: (from, to) => fs.copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE),
  chmod: (path, mode) => quickly(() => chmodSync(path, mode)),
  lchown: (path, uid, gid) => quickly(() => lchownSync(path, uid, gid)),
  setTimes: (path, mtimeNs) => quickly(() => setLinkTimes(path, mtimeNs)),
  async create(path) {
    const handle = await fs.open(path, 'wx', 0o600);
    return {
      write: async (bytes) => {
        let rest = bytes;
        while (rest.length > 0) rest = rest.subarray((await handle.write(rest)).bytesWritten);
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  async syncFolder(path) {
    const handle = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async syncFileSystem(folder) {
    // Node has no syncfs; coreutils and busybox have. One call for the whole tree, instead of an fsync for each of its files.
    try {
      await promisify(execFile)('sync', ['-f', folder.toString()]);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      await syncTree(folder);
    }
  },
};

/** A server may hold paths that are too long for one call: what can be written can be looked at and removed. */
export const nodeFileCalls = longPathCalls(systemCalls);

async function syncTree(folder: Buffer): Promise<void> {
  for await (const name of nodeFileCalls.names(folder)) {
    const path = join(folder, name);
    const found = await nodeFileCalls.lstat(path);
    if (found.isDirectory()) await syncTree(path);
    if (found.isFile()) await reaching(path, syncFile);
  }
  await nodeFileCalls.syncFolder(folder);
}

async function syncFile(path: Buffer): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** What stands at `path`, not following links; null when nothing does. */
export async function look(calls: FileCalls, path: Buffer): Promise<BigIntStats | null> {
  try {
    return await calls.lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Runs `call`; that the thing named is gone already is as good. */
export async function unlessGone(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

const slash = Buffer.from('/');

/** `folder/name`, in bytes; an empty name is the folder itself. */
export function join(folder: Buffer, name: Buffer | string): Buffer {
  const bytes = typeof name === 'string' ? Buffer.from(name) : name;
  if (bytes.length === 0) return folder;
  if (folder.length === 0) return bytes;
  return folder.at(-1) === 0x2f ? Buffer.concat([folder, bytes]) : Buffer.concat([folder, slash, bytes]);
}

/** The part before the last slash; empty for a relative name without one, `/` for what lies in the root. */
export function parentOf(path: Buffer): Buffer {
  const at = path.lastIndexOf(0x2f);
  if (at === 0) return path.subarray(0, 1);
  return at < 0 ? path.subarray(0, 0) : path.subarray(0, at);
}

/** A path for people: bytes that are no UTF-8 appear as `\xNN`. */
export function shown(path: Buffer): string {
  const text = path.toString('utf8');
  if (Buffer.from(text).equals(path)) return text;
  return [...path]
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('');
}
