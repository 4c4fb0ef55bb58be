import { Fault } from '../../../contract/faults.ts';
import type { ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { mapped, type About } from './api.ts';
import { infoOf, newestFirst, type DriveFile } from './files.ts';
import { filesOf, removeFile, splitKey, type Drive } from './objects.ts';
import { head, tail } from './pieces.ts';
import { beginSession, type Session } from './session.ts';

/** Google: pieces of a session are multiples of 256 KiB, but for the last. */
export const partMultiple = 256 * 1024;

interface Begun {
  readonly session: Session;
  /** Files that stood under this name before. */
  readonly older: readonly DriveFile[];
  /** Null where an older file gets new content. */
  readonly newId: string | null;
}

/**
 * An upload of which Drive shows nothing before its end: of each part the last 256 KiB are held back until more follows, so that complete() is
 * what sends the end. An existing file gets its new content in one step; where several bear the name, the newest does and the others go.
 */
export function beginUpload(drive: Drive, key: string, ifAbsent: boolean): Upload {
  /** Where each part begins, and behind them where the next one will. */
  const offsets = [0];
  let begun: Begun | undefined;
  /** The same at every attempt: what is made under it cannot be made twice. */
  let ownId: string | undefined;
  /** The end of what came so far, in memory of our own, and where it begins. */
  let held: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) };
  let file: DriveFile | undefined;
  let done: ObjectInfo | undefined;

  async function begin(about: About): Promise<Begun> {
    if (begun !== undefined) return begun;
    const older = await filesOf(drive, key, about);
    if (ifAbsent && older.length > 0) throw exists(key);
    const { folder, name } = splitKey(key);
    const [newest] = older;
    const target =
      newest === undefined
        ? ({ kind: 'create', id: (ownId ??= await drive.newId(about)), name, parent: await drive.folders.make(folder, about) } as const)
        : ({ kind: 'update', id: newest.id } as const);
    const session = await mapped(about, () => beginSession(drive.api, target, about));
    begun = { session, older, newId: target.kind === 'create' ? target.id : null };
    return begun;
  }

  /** Two that made the same name at the same moment: the older one stays where it had to be new, else the newer one. */
  async function settleDuplicates(ours: DriveFile, about: About): Promise<void> {
    const others = (await filesOf(drive, key, about)).filter(({ id }) => id !== ours.id);
    const before = others.filter((other) => newestFirst(ours, other) < 0);
    if (ifAbsent && before.length > 0) {
      await removeFile(drive.api, ours.id, about);
      throw exists(key);
    }
    if (!ifAbsent) for (const { id } of before) await removeFile(drive.api, id, about);
  }

  return {
    token: 'a session, which ends by itself',
    async writePart(index, bytes, call) {
      const start = offsets[index];
      if (start === undefined || done !== undefined) {
        throw new Fault('unexpected', `part ${index} of ${key} came out of order`, {
          operation: 'writePart',
          context: { key, part: index },
        });
      }
      const about = { operation: 'writePart', what: key, signal: call?.signal };
      const { session } = await begin(about);
      // The same part again, after it had been sent: a session does not go back.
      if (offsets.length > index + 1 && held.start > start) return;
      const pieces = [held.bytes.subarray(0, start - held.start), bytes];
      const from = held.start;
      const end = start + bytes.byteLength;
      const sendable = end === 0 ? 0 : Math.max(0, Math.floor((end - 1) / partMultiple) * partMultiple - from);
      if (sendable > 0) await mapped(about, () => session.send(from, head(pieces, sendable), null, about));
      held = { start: from + sendable, bytes: Uint8Array.from(Buffer.concat(tail(pieces, sendable))) };
      offsets.length = index + 1;
      offsets.push(end);
    },
    async complete(call) {
      if (done !== undefined) return done;
      const about = { operation: 'complete', what: key, signal: call?.signal };
      const { session, newId } = await begin(about);
      const total = offsets.at(-1) ?? 0;
      file ??= (await mapped(about, () => session.send(held.start, [held.bytes], total, about))) ?? undefined;
      if (file === undefined) throw new Fault('unexpected', `complete of ${key} told no file`, { operation: 'complete', context: { key } });
      if (newId !== null || (begun?.older.length ?? 0) > 1) await settleDuplicates(file, about);
      done = infoOf(key, file);
      return done;
    },
    // Nothing of it is visible or counted, and it ends by itself after a week.
    abort: () => Promise.resolve(),
  };
}

function exists(key: string): Fault {
  return new Fault('already-exists', `complete of ${key}: it exists already`, { operation: 'complete', context: { key } });
}
