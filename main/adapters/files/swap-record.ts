import { Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { look, parentOf, shown } from './file-calls.ts';
import { writeDurably } from './journal.ts';

/**
 * What a swap exchanges. `whole`: the folder itself. `children`: each name directly inside it. `entries`: single paths of it.
 */
export type SwapMode = 'whole' | 'children' | 'entries';

export interface RecordHead {
  readonly mode: SwapMode;
  /** Rises by one with every swap of a target: the order of undo does not depend on clocks. */
  readonly seq: number;
  readonly id: string;
  readonly time: number;
  /** A partial restore, for people. */
  readonly partial: boolean;
  /** Where the new content waits, relative to the home's folder. */
  readonly staged: string;
  /** Where the former content goes, relative to the home's folder. */
  readonly before: string;
  /** `children` only: the target's own attributes, set in the end. Nanoseconds as a decimal string. */
  readonly mtimeNs: string | null;
}

/** One path that is exchanged; no path lies below another one. */
export interface Slot {
  /** Relative to the target; empty: the target itself. */
  readonly path: Buffer;
  /** Something stands there now and moves to before. */
  readonly old: boolean;
  /** Something is staged and moves there. */
  readonly new: boolean;
  /** Modes of folders that have to be opened up to be moved by someone who is not root. */
  readonly oldMode?: number;
  readonly newMode?: number;
}

const version = 1;

/**
 * JSON lines: head, one line a slot, and a last line with their number, without which the record is not whole. Returns the number.
 * The folder's own entry is made durable too.
 */
export async function writeRecord(calls: FileCalls, path: Buffer, head: RecordHead, slots: AsyncIterable<Slot>): Promise<number> {
  let count = 0;
  await writeDurably(calls, path, async (file) => {
    let lines = `${JSON.stringify({ holdfast: 'restore-swap', version, ...head })}\n`;
    for await (const slot of slots) {
      count++;
      lines += `${JSON.stringify(encodeSlot(slot))}\n`;
      if (lines.length > 65_536) {
        await file.write(Buffer.from(lines));
        lines = '';
      }
    }
    await file.write(Buffer.from(`${lines}{"slots":${count}}\n`));
  });
  await calls.syncFolder(parentOf(path));
  return count;
}

/** Null when there is none. Faults: corrupt. */
export async function readHead(calls: FileCalls, path: Buffer): Promise<RecordHead | null> {
  if ((await look(calls, path)) === null) return null;
  for await (const line of lines(calls, path)) return decodeHead(line, path);
  throw damaged(path, 'is empty');
}

/** Faults: corrupt, at the latest at the end of a record that was cut short. */
export async function* readSlots(calls: FileCalls, path: Buffer): AsyncIterable<Slot> {
  let count = -1;
  for await (const line of lines(calls, path)) {
    if (count === -1) {
      decodeHead(line, path);
    } else {
      const fields = object(line, path);
      if ('slots' in fields) {
        if (fields['slots'] !== count) throw damaged(path, 'does not hold what it says');
        return;
      }
      yield decodeSlot(fields, path);
    }
    count++;
  }
  throw damaged(path, 'is cut short');
}

async function* lines(calls: FileCalls, path: Buffer): AsyncIterable<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of calls.readFile(path)) {
    rest = Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > 65_536) throw damaged(path, 'has a line without end');
  }
}

function encodeSlot(slot: Slot): unknown {
  const text = slot.path.toString();
  const name = Buffer.from(text).equals(slot.path) ? { path: text } : { pathB64: slot.path.toString('base64') };
  return {
    ...name,
    old: slot.old,
    new: slot.new,
    ...(slot.oldMode === undefined ? {} : { oldMode: slot.oldMode }),
    ...(slot.newMode === undefined ? {} : { newMode: slot.newMode }),
  };
}

function decodeSlot(fields: Record<string, unknown>, record: Buffer): Slot {
  const { path: text, pathB64, old: hasOld, new: hasNew, oldMode, newMode } = fields;
  let path: Buffer;
  if (typeof text === 'string') path = Buffer.from(text);
  else if (typeof pathB64 === 'string') path = Buffer.from(pathB64, 'base64');
  else throw damaged(record, 'has an entry without a path');
  // latin1 keeps every byte apart, so that no odd byte can hide a `..`.
  const steps = path.toString('latin1').split('/');
  if (path.length > 0 && steps.some((step) => step === '' || step === '.' || step === '..' || step.includes('\0'))) {
    throw damaged(record, `names ${shown(path)}, which is no path inside the target`);
  }
  if (typeof hasOld !== 'boolean' || typeof hasNew !== 'boolean') throw damaged(record, 'has an odd entry');
  return {
    path,
    old: hasOld,
    new: hasNew,
    ...(typeof oldMode === 'number' ? { oldMode } : {}),
    ...(typeof newMode === 'number' ? { newMode } : {}),
  };
}

function decodeHead(line: string, path: Buffer): RecordHead {
  const { holdfast, version: written, mode, seq, id, time, partial, staged, before, mtimeNs } = object(line, path);
  if (holdfast !== 'restore-swap' || written !== version) throw damaged(path, 'is none that this version of Holdfast knows');
  if (mode !== 'whole' && mode !== 'children' && mode !== 'entries') throw damaged(path, 'names no kind of swap');
  if (typeof seq !== 'number' || typeof time !== 'number' || typeof id !== 'string' || typeof partial !== 'boolean') {
    throw damaged(path, 'has an odd first line');
  }
  if (!isPlace(staged, 2) || !isPlace(before, 1)) throw damaged(path, 'names places outside its folder');
  if (mtimeNs !== null && (typeof mtimeNs !== 'string' || !/^-?\d{1,20}$/.test(mtimeNs))) throw damaged(path, 'has an odd time');
  return { mode, seq, id, time, partial, staged, before, mtimeNs };
}

function isPlace(value: unknown, steps: number): value is string {
  if (typeof value !== 'string') return false;
  const names = value.split('/');
  return names.length <= steps && names.every((name) => name !== '' && name !== '.' && name !== '..');
}

function object(line: string, path: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw damaged(path, 'cannot be read', error);
  }
  throw damaged(path, 'cannot be read');
}

function damaged(path: Buffer, why: string, cause?: unknown): Fault {
  return new Fault('corrupt', `the undo record ${shown(path)} ${why}`, { operation: 'recover', context: { record: shown(path) }, cause });
}
