import { chmodSync, closeSync, constants, lchownSync, linkSync, lstatSync, mkdirSync, openSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { Fault } from '../../contract/faults.ts';
import { checkInnerPath, isAscii, pathBytes, showPath } from '../../engine/archive/byte-path.ts';
import type { BytePath } from '../../engine/archive/byte-path.ts';
import { setLinkTimes, setTimes } from './exact-times.ts';
import { HeldFolders, longestPath } from './held-folders.ts';
import { KnownFolders } from './known-folders.ts';

export interface Attributes {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
}

/**
 * The tree that a restore builds: an empty folder of its own, readable by nobody else, in which nothing existed before. Paths have
 * been checked to stay inside, and links come last, so that there is never a link to write through.
 */
export class StagedTree {
  readonly #base: Buffer;
  readonly #baseText: string | null;
  readonly #owner: boolean;
  /** Once there they stay: nothing takes a folder of this tree away, or puts a link in its place. */
  readonly #folders = new KnownFolders();
  readonly #held = new HeldFolders();

  /** `owner`: set uid and gid too, which only root may. */
  constructor(staging: string, owner: boolean) {
    this.#base = Buffer.from(`${staging}/`, 'utf8');
    this.#baseText = isAscii(staging) ? `${staging}/` : null;
    this.#owner = owner;
  }

  /** To be called at the end: folders on long ways are held open. */
  close(): void {
    this.#held.close();
  }

  location(path: BytePath): string | Buffer {
    if (this.#base.length + path.length > longestPath) return this.#held.reach(Buffer.concat([this.#base, pathBytes(path)]));
    return this.#baseText !== null && isAscii(path) ? this.#baseText + path : Buffer.concat([this.#base, pathBytes(path)]);
  }

  /** Makes the folders that lead to `path`. */
  leadTo(path: BytePath): void {
    if (process.platform === 'win32') checkInnerPath(path, 'windows');
    const end = path.lastIndexOf('/');
    if (end > 0) this.makeFolder(path.slice(0, end) as BytePath);
  }

  makeFolder(path: BytePath): void {
    if (this.#folders.has(path)) return;
    this.leadTo(path);
    this.#named(path, () => {
      try {
        mkdirSync(this.location(path), 0o700);
      } catch (error) {
        if (!isErrno(error, 'EEXIST') || !lstatSync(this.location(path)).isDirectory()) throw error;
      }
    });
    this.#folders.add(path);
  }

  /** Looks for each folder on the way first: never through a link, which would lead out of the tree. */
  hasFolder(path: BytePath): boolean {
    if (this.#folders.has(path)) return true;
    const end = path.lastIndexOf('/');
    if (end > 0 && !this.hasFolder(path.slice(0, end) as BytePath)) return false;
    if (this.#look(path)?.isDirectory() !== true) return false;
    this.#folders.add(path);
    return true;
  }

  hasFile(path: BytePath): boolean {
    return this.#look(path)?.isFile() === true;
  }

  #look(path: BytePath): Stats | null {
    try {
      return lstatSync(this.location(path), { throwIfNoEntry: false }) ?? null;
    } catch (error) {
      // A long path is reached through folders that may not be there.
      if (isErrno(error, 'ENOENT')) return null;
      throw error;
    }
  }

  /** A new file. A name that is there already means that the snapshot holds it twice. */
  createFile(path: BytePath): number {
    this.leadTo(path);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return this.#named(path, () => openSync(this.location(path), flags, 0o600));
  }

  /** A file that another thread has created and writes other parts of. */
  openShared(path: BytePath): number {
    this.leadTo(path);
    return this.#named(path, () => openSync(this.location(path), constants.O_RDWR | constants.O_NOFOLLOW));
  }

  /** Owner first: changing it clears the set-id bits. */
  finishFile(handle: number, path: BytePath, attributes: Attributes, change: { chown: ChangeOwner; chmod: ChangeMode }): void {
    this.#named(path, () => {
      if (this.#owner) change.chown(handle, attributes.uid, attributes.gid);
      change.chmod(handle, attributes.mode);
      setTimes(handle, attributes.mtimeNs);
    });
  }

  finishFolder(path: BytePath, attributes: Attributes): void {
    this.#named(path, () => {
      const location = this.location(path);
      if (this.#owner) lchownSync(location, attributes.uid, attributes.gid);
      const handle = openSync(location, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      try {
        setTimes(handle, attributes.mtimeNs);
      } finally {
        closeSync(handle);
      }
      chmodSync(location, attributes.mode);
    });
  }

  makeSymlink(path: BytePath, target: BytePath, attributes: Attributes): void {
    this.leadTo(path);
    this.#named(path, () => {
      const location = this.location(path);
      symlinkSync(pathBytes(target), location);
      if (this.#owner) lchownSync(location, attributes.uid, attributes.gid);
      setLinkTimes(Buffer.from(location), attributes.mtimeNs);
    });
  }

  makeHardLink(path: BytePath, first: BytePath): void {
    this.leadTo(path);
    this.#named(path, () => {
      // Only a file of ours has further names: whatever else stands there, or does not, was not meant by an honest snapshot.
      if (lstatSync(this.location(first), { throwIfNoEntry: false })?.isFile() !== true) {
        throw new Fault('corrupt', `the snapshot says that ${showPath(path)} is ${showPath(first)}, which is no file of it`, {
          operation: 'restore',
          context: { path: showPath(path) },
        });
      }
      linkSync(this.location(first), this.location(path));
    });
  }

  removeFile(path: BytePath): void {
    if (this.hasFile(path)) unlinkSync(this.location(path));
  }

  #named<Result>(path: BytePath, act: () => Result): Result {
    try {
      return act();
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw writeFault(path, cause);
    }
  }
}

type ChangeOwner = (handle: number, uid: number, gid: number) => void;
type ChangeMode = (handle: number, mode: number) => void;

/** What a failing write means: a disk, a permission, or a snapshot whose names contradict each other. */
export function writeFault(path: BytePath, cause: unknown): Fault {
  const where = showPath(path);
  const context = { path: where };
  const reason = cause instanceof Error ? cause.message : String(cause);
  const options = { operation: 'restore', context, cause };
  if (isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT')) return new Fault('disk-full', `no space left while writing ${where}`, options);
  if (isErrno(cause, 'EACCES') || isErrno(cause, 'EPERM') || isErrno(cause, 'EROFS')) {
    return new Fault('permission-denied', `${where} may not be written: ${reason}`, options);
  }
  if (isErrno(cause, 'ENAMETOOLONG'))
    return new Fault('unsupported', `the name or path of ${where} is too long for this file system`, options);
  if (isErrno(cause, 'EEXIST') || isErrno(cause, 'ENOTDIR') || isErrno(cause, 'EISDIR') || isErrno(cause, 'ELOOP')) {
    return new Fault('corrupt', `the snapshot names ${where} twice, or as two different things`, options);
  }
  return new Fault('unexpected', `${where} could not be written: ${reason}`, options);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
