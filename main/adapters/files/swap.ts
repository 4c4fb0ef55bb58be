import { Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, parentOf, shown } from './file-calls.ts';
import type { Home } from './restore-places.ts';
import type { RecordHead, Slot } from './swap-record.ts';

/**
 * The moves of a swap. Nothing here remembers how far it came: where a slot's old and new content are is seen from what exists in
 * its three places, so both directions can be begun, cut short and begun again at any point.
 *
 *   slot with old and new    live staged before      slot with old only   live before     with new only   live staged
 *   nothing moved            old  new    -           old  -                               -    new
 *   between                  -    new    old
 *   moved                    new  -      old         -    old                             new  -
 *
 * Something in `live` that this table does not know was put there by another program meanwhile; it is set aside, never overwritten.
 */
export interface Places {
  readonly live: Buffer;
  readonly staged: Buffer;
  readonly before: Buffer;
}

export function rootsOf(home: Home, head: RecordHead): Places {
  return { live: home.target, staged: join(home.folder, head.staged), before: join(home.folder, head.before) };
}

function placesOf(roots: Places, slot: Slot): Places {
  return { live: join(roots.live, slot.path), staged: join(roots.staged, slot.path), before: join(roots.before, slot.path) };
}

/** Moves all that has not moved yet, and makes it durable. Returns what it found in the way and set aside, in words. */
export async function moveForward(
  calls: FileCalls,
  roots: Places,
  head: RecordHead,
  slots: AsyncIterable<Slot>,
): Promise<readonly string[]> {
  const notes: string[] = [];
  const parents = new Parents(calls);
  if (head.mode !== 'whole') await parents.makeFolder(roots.before);
  for await (const slot of slots) {
    const { live, staged, before } = placesOf(roots, slot);
    const waits = slot.new && (await look(calls, staged)) !== null;
    if (slot.old && (await look(calls, before)) === null && (waits || !slot.new)) {
      await parents.make(roots.before, slot.path);
      // Gone meanwhile: someone else removed it, and there is nothing left to keep.
      if ((await look(calls, live)) !== null) await moveEntry(calls, live, before);
    }
    if (waits) {
      await parents.make(roots.live, slot.path);
      if ((await look(calls, live)) !== null) notes.push(await setAside(calls, live, before, parents, roots, slot));
      await moveEntry(calls, staged, live);
    } else if (slot.path.length === 0 && slot.new && (await look(calls, live)) === null && (await look(calls, before)) !== null) {
      // Someone removed what was staged, or restored, while nobody looked after it: better the former server than none.
      await moveEntry(calls, before, live);
      notes.push(`the restored content of ${shown(live)} was gone; the former content is back in its place`);
    }
    await parents.touched(parentOf(live), parentOf(before));
  }
  await parents.flush();
  return notes;
}

/** Moves everything back to where it was. */
export async function moveBack(calls: FileCalls, roots: Places, slots: AsyncIterable<Slot>): Promise<readonly string[]> {
  const notes: string[] = [];
  const parents = new Parents(calls);
  for await (const slot of slots) {
    const { live, staged, before } = placesOf(roots, slot);
    const kept = slot.old && (await look(calls, before)) !== null;
    const moved = slot.new && (await look(calls, staged)) === null && (kept || !slot.old);
    if (moved && (await look(calls, live)) !== null) await moveEntry(calls, live, staged);
    if (kept) {
      if ((await look(calls, live)) !== null) notes.push(await setAside(calls, live, before, parents, roots, slot));
      await moveEntry(calls, before, live);
      if (slot.oldMode !== undefined) await calls.chmod(live, slot.oldMode);
    }
    await parents.touched(parentOf(live), parentOf(staged));
  }
  await parents.flush();
  return notes;
}

/** Modes that someone who is not root had to open up for the moves. */
export async function restoreModes(calls: FileCalls, roots: Places, slots: AsyncIterable<Slot>): Promise<void> {
  for await (const slot of slots) {
    const { live, before } = placesOf(roots, slot);
    if (slot.newMode !== undefined && (await isFolder(calls, live))) await calls.chmod(live, slot.newMode);
    if (slot.oldMode !== undefined && (await isFolder(calls, before))) await calls.chmod(before, slot.oldMode);
  }
}

async function isFolder(calls: FileCalls, path: Buffer): Promise<boolean> {
  return (await look(calls, path))?.isDirectory() === true;
}

/** A folder that its owner may not write cannot change parents (its `..` is rewritten): it is opened up for the move. */
async function moveEntry(calls: FileCalls, from: Buffer, to: Buffer): Promise<void> {
  try {
    await calls.rename(from, to);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
    const found = await calls.lstat(from);
    if (!found.isDirectory() || (found.mode & 0o200n) !== 0n) throw error;
    const mode = Number(found.mode & 0o7777n);
    await calls.chmod(from, mode | 0o700);
    try {
      await calls.rename(from, to);
    } catch (second) {
      await calls.chmod(from, mode);
      throw second;
    }
    await calls.chmod(to, mode);
  }
}

async function setAside(calls: FileCalls, live: Buffer, before: Buffer, parents: Parents, roots: Places, slot: Slot): Promise<string> {
  for (let number = 1; ; number++) {
    const aside = Buffer.concat([before, Buffer.from(`-found-${number}`)]);
    if ((await look(calls, aside)) !== null) continue;
    await parents.make(roots.before, slot.path);
    await moveEntry(calls, live, aside);
    return `something appeared at ${shown(live)} during the exchange; it lies at ${shown(aside)} now`;
  }
}

/** The folders that entries move into: made where missing, never entered through a link, and flushed once the moves are done. */
class Parents {
  readonly #calls: FileCalls;
  /** For each root the last parent found sound: a walk stays in one folder for long. */
  readonly #sound = new Map<string, Buffer>();
  #waiting: readonly Buffer[] = [];

  constructor(calls: FileCalls) {
    this.#calls = calls;
  }

  /** Makes every folder from `root` down to the one `path` lies in. A swap of the root itself needs none. */
  async make(root: Buffer, path: Buffer): Promise<void> {
    if (path.length === 0) return;
    const parent = parentOf(path);
    const name = root.toString('latin1');
    if (this.#sound.get(name)?.equals(parent) === true) return;
    for (const folder of foldersTo(root, path)) await this.makeFolder(folder);
    this.#sound.set(name, parent);
  }

  /** A link planted on the way must not lead a move out of the target: it is a fault, source-changed. */
  async makeFolder(folder: Buffer): Promise<void> {
    const found = await look(this.#calls, folder);
    if (found === null) {
      await this.#calls.mkdir(folder, 0o700);
    } else if (!found.isDirectory()) {
      throw new Fault('source-changed', `${shown(folder)} is no folder any more`, { operation: 'swap', context: { path: shown(folder) } });
    }
  }

  /** Flushes the folders touched before these, when they are others: a walk visits each folder once. */
  async touched(...folders: readonly Buffer[]): Promise<void> {
    if (this.#waiting.every((folder, at) => folders[at]?.equals(folder) === true)) {
      this.#waiting = folders;
      return;
    }
    await this.flush();
    this.#waiting = folders;
  }

  async flush(): Promise<void> {
    const folders = this.#waiting;
    this.#waiting = [];
    for (const folder of folders) {
      if ((await look(this.#calls, folder))?.isDirectory() === true) await this.#calls.syncFolder(folder);
    }
  }
}

/** `root`, `root/a`, `root/a/b` for a path of `a/b/c`. */
function foldersTo(root: Buffer, path: Buffer): Buffer[] {
  const way = [root];
  for (let at = path.indexOf(0x2f); at >= 0; at = path.indexOf(0x2f, at + 1)) way.push(join(root, path.subarray(0, at)));
  return way;
}
