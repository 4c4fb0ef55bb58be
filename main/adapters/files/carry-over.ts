import type { BigIntStats } from 'node:fs';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, shown } from './file-calls.ts';

export interface CarryOverRequest {
  /** The former content, which stays whole. */
  readonly old: Buffer;
  /** The staged tree, which gains what it lacks. */
  readonly fresh: Buffer;
  /** The folder to begin at, relative to both; empty: the whole. */
  readonly at: Buffer;
  readonly excluded: (path: Buffer, isDirectory: boolean) => boolean;
  /** Names directly inside the target that are not part of its content. */
  readonly stays: (name: Buffer) => boolean;
}

export interface CarriedOver {
  readonly count: number;
  readonly notes: readonly string[];
}

/** A folder of both trees on the way down. The staged one is made when the first thing is carried into it. */
interface Level {
  readonly path: Buffer;
  readonly above: Level | null;
  state: 'unopened' | 'open' | 'blocked';
  /** What the staged folder must look like when all is in it. */
  finish: (() => Promise<void>) | null;
}

/**
 * Gives the staged tree a second name of every file that the snapshot had excluded. Files are linked, not moved: former content and
 * new content are both whole at every moment, so a run killed here has lost nothing and undo finds everything in its place. Folders
 * are made anew with mode, owner and times of the old ones. Where a file system cannot link, or forbids it, files are copied.
 * Sockets, pipes and devices come along as well: no snapshot can hold them.
 */
export async function carryOver(calls: FileCalls, request: CarryOverRequest): Promise<CarriedOver> {
  const notes: string[] = [];
  let count = 0;

  async function walk(level: Level, all: boolean): Promise<void> {
    for await (const name of entries(level.path)) {
      if (level.path.length === 0 && request.stays(name)) continue;
      const path = join(level.path, name);
      const found = await look(calls, join(request.old, path));
      if (found === null) continue;
      const taken = all || request.excluded(path, found.isDirectory());
      if (found.isDirectory()) {
        const below: Level = { path, above: level, state: 'unopened', finish: null };
        if (taken) await open(below);
        await walk(below, taken);
        await below.finish?.();
      } else if (taken || !(found.isFile() || found.isSymbolicLink())) {
        await place(level, path, found, taken);
      }
    }
  }

  async function* entries(folder: Buffer): AsyncIterable<Buffer> {
    try {
      yield* calls.names(join(request.old, folder));
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
      notes.push(`${shown(folder)} may not be read: excluded files in it stay with the former content`);
    }
  }

  async function open(level: Level): Promise<boolean> {
    if (level.state !== 'unopened') return level.state === 'open';
    level.state = 'blocked';
    if (level.above !== null && !(await open(level.above))) return false;
    const path = join(request.fresh, level.path);
    const there = await look(calls, path);
    if (there !== null && !there.isDirectory()) {
      notes.push(`${shown(level.path)} is no folder in the snapshot: excluded files in it stay with the former content`);
      return false;
    }
    if (there === null) await calls.mkdir(path, 0o700);
    else if ((there.mode & 0o700n) !== 0o700n) await calls.chmod(path, 0o700);
    const model = there ?? (await calls.lstat(join(request.old, level.path)));
    level.finish = () => dress(path, model, there === null);
    level.state = 'open';
    return true;
  }

  async function place(level: Level, path: Buffer, found: BigIntStats, taken: boolean): Promise<void> {
    const to = join(request.fresh, path);
    if ((await look(calls, to)) !== null) return;
    // A pipe of a folder that the snapshot does not have went with its folder.
    if (!taken && (await look(calls, join(request.fresh, level.path)))?.isDirectory() !== true) return;
    if (!(await open(level))) return;
    const from = join(request.old, path);
    try {
      await calls.link(from, to);
    } catch (error) {
      if (!isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES')) throw error;
      if (!(await copy(from, to, found))) return;
    }
    count++;
  }

  async function copy(from: Buffer, to: Buffer, found: BigIntStats): Promise<boolean> {
    if (found.isSymbolicLink()) {
      await calls.symlink(await calls.readlink(from), to);
      await dressLink(to, found);
      return true;
    }
    if (!found.isFile()) {
      notes.push(`${shown(from)} is neither file nor link and cannot be carried over here`);
      return false;
    }
    await calls.copy(from, to);
    await dress(to, found, true);
    return true;
  }

  async function dress(path: Buffer, model: BigIntStats, owner: boolean): Promise<void> {
    if (owner) await dressOwner(path, model);
    await calls.chmod(path, Number(model.mode & 0o7777n));
    await calls.setTimes(path, model.mtimeNs);
  }

  async function dressLink(path: Buffer, model: BigIntStats): Promise<void> {
    await dressOwner(path, model);
    await calls.setTimes(path, model.mtimeNs);
  }

  async function dressOwner(path: Buffer, model: BigIntStats): Promise<void> {
    try {
      await calls.lchown(path, Number(model.uid), Number(model.gid));
    } catch (error) {
      if (!isErrno(error, 'EPERM')) throw error;
      notes.push(`the owner of ${shown(path)} could not be kept`);
    }
  }

  const top: Level = { path: request.at, above: null, state: 'unopened', finish: null };
  await walk(top, false);
  await top.finish?.();
  return { count, notes };
}
