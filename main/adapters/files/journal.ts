import { Fault } from '../../contract/faults.ts';
import type { FileCalls, WritableFile } from './file-calls.ts';
import { isErrno, look, parentOf, shown, unlessGone } from './file-calls.ts';

/**
 * How far a swap is. `old`: nothing has moved, everything new can be thrown away. `between`: the record is on disk and entries are
 * moving; every move can be told from what exists where. `new`: all have moved, only cleaning up is left.
 */
export type SwapState = 'old' | 'between' | 'new';

/** Names are relative to the home's folder. */
export interface Journal {
  readonly state: SwapState;
  /** The snapshot restored, or the former content brought back. */
  readonly id: string;
  readonly operation: 'restore' | 'undo';
  /** A staging folder to remove in the end; null for an undo, which has none. */
  readonly staging: string | null;
  /** The plan of the swap, which stays as the undo record. The file is whole once the state is past `old`. */
  readonly record: string;
  /** Undo only: the record that is used up by it. */
  readonly consumes: string | null;
}

const version = 1;

/** Null when there is none. Faults: corrupt, unsupported. */
export async function readJournal(calls: FileCalls, path: Buffer): Promise<Journal | null> {
  const found = await look(calls, path);
  if (found === null) return null;
  const unreadable = (why: string, cause?: unknown): Fault =>
    new Fault('corrupt', `the restore journal ${shown(path)} ${why}; nothing was touched`, {
      operation: 'recover',
      context: { journal: shown(path) },
      cause,
    });
  if (!found.isFile() || found.size > 65_536n) throw unreadable('is not one');
  const pieces: Buffer[] = [];
  try {
    for await (const piece of calls.readFile(path)) pieces.push(piece);
  } catch (error) {
    // A run that is watched from outside has ended in between.
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(pieces).toString());
  } catch (error) {
    throw unreadable('cannot be read', error);
  }
  if (typeof value !== 'object' || value === null || !('holdfast' in value) || value.holdfast !== 'restore-journal')
    throw unreadable('is not one');
  const fields = value as Record<string, unknown>;
  if (fields['version'] !== version) {
    throw new Fault(
      'unsupported',
      `the restore journal ${shown(path)} was written by another version of Holdfast: let that one finish it`,
      {
        operation: 'recover',
        context: { journal: shown(path) },
      },
    );
  }
  const { state, id, operation, staging, record, consumes } = fields;
  if (state !== 'old' && state !== 'between' && state !== 'new') throw unreadable('names no state');
  if (operation !== 'restore' && operation !== 'undo') throw unreadable('names no operation');
  if (typeof id !== 'string' || record === null || !isName(record) || !isName(staging) || !isName(consumes))
    throw unreadable('has odd names');
  return { state, id, operation, staging, record, consumes };
}

/** A journal names things beside itself only: whoever may write into the folder must not have us remove things elsewhere. */
function isName(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value.length > 0 && !value.includes('/') && value !== '.' && value !== '..');
}

/** Replaces the journal in one step: whatever happens, one whole journal or none is on disk. */
export async function writeJournal(calls: FileCalls, path: Buffer, journal: Journal): Promise<void> {
  const draft = draftPath(path);
  await unlessGone(calls.unlink(draft));
  await writeDurably(calls, draft, (file) =>
    file.write(Buffer.from(`${JSON.stringify({ holdfast: 'restore-journal', version, ...journal })}\n`)),
  );
  await calls.rename(draft, path);
  await calls.syncFolder(parentOf(path));
}

export async function removeJournal(calls: FileCalls, path: Buffer): Promise<void> {
  await unlessGone(calls.unlink(draftPath(path)));
  await unlessGone(calls.unlink(path));
  await calls.syncFolder(parentOf(path));
}

export function draftPath(journal: Buffer): Buffer {
  return Buffer.concat([journal, Buffer.from('.new')]);
}

export async function writeDurably(calls: FileCalls, path: Buffer, fill: (file: WritableFile) => Promise<void>): Promise<void> {
  const file = await calls.create(path);
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
