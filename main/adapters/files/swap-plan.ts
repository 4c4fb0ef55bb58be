import type { BigIntStats } from 'node:fs';
import type { FileCalls } from './file-calls.ts';
import { join, look } from './file-calls.ts';
import { readSlots } from './swap-record.ts';
import type { Slot } from './swap-record.ts';

const nothing = Buffer.alloc(0);

export interface EntrySides {
  readonly staged: Buffer;
  readonly target: Buffer;
  readonly exchange: (path: Buffer) => boolean;
  /** Names directly inside the target that are not part of its content. */
  readonly stays: (name: Buffer) => boolean;
}

/** The folder itself. */
export async function* planWhole(calls: FileCalls, target: Buffer): AsyncIterable<Slot> {
  yield { path: nothing, old: (await look(calls, target)) !== null, new: true };
}

/** Each name in either folder, but for those that stay where they are. */
export async function* planChildren(
  calls: FileCalls,
  staged: Buffer,
  target: Buffer,
  stays: (name: Buffer) => boolean,
): AsyncIterable<Slot> {
  for await (const name of calls.names(target)) {
    if (!stays(name)) yield slotFor(name, await look(calls, join(target, name)), await look(calls, join(staged, name)));
  }
  for await (const name of calls.names(staged)) {
    if (stays(name) || (await look(calls, join(target, name))) !== null) continue;
    yield slotFor(name, null, await look(calls, join(staged, name)));
  }
}

/**
 * The staged entries laid over the target: a folder on both sides is merged unless `exchange` wants it replaced as a whole, anything
 * else is one slot with all below it.
 */
export async function* planEntries(calls: FileCalls, sides: EntrySides, folder: Buffer = nothing): AsyncIterable<Slot> {
  for await (const name of calls.names(join(sides.staged, folder))) {
    if (folder.length === 0 && sides.stays(name)) continue;
    const path = join(folder, name);
    const fresh = await look(calls, join(sides.staged, path));
    const old = await look(calls, join(sides.target, path));
    if (fresh?.isDirectory() === true && old?.isDirectory() === true && !sides.exchange(path)) {
      yield* planEntries(calls, sides, path);
    } else {
      yield slotFor(path, old, fresh);
    }
  }
}

/** The way back of an earlier swap: what it had put aside is new, what stands there today is old. */
export async function* planUndo(calls: FileCalls, record: Buffer, before: Buffer, target: Buffer): AsyncIterable<Slot> {
  for await (const { path } of readSlots(calls, record)) {
    yield slotFor(path, await look(calls, join(target, path)), await look(calls, join(before, path)));
  }
}

function slotFor(path: Buffer, old: BigIntStats | null, fresh: BigIntStats | null): Slot {
  return {
    path,
    old: old !== null,
    new: fresh !== null,
    ...(closed(old) ? { oldMode: Number(old.mode & 0o7777n) } : {}),
    ...(closed(fresh) ? { newMode: Number(fresh.mode & 0o7777n) } : {}),
  };
}

function closed(found: BigIntStats | null): found is BigIntStats {
  return found !== null && found.isDirectory() && (found.mode & 0o200n) === 0n;
}
