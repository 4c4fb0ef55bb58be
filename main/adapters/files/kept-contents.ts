import { throwIfCancelled } from '../../engine/storage/cancel.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look } from './file-calls.ts';
import type { Journal } from './journal.ts';
import { readJournal } from './journal.ts';
import type { KeptRecord } from './kept-records.ts';
import { keptRecords } from './kept-records.ts';
import { homesOf } from './recovery.ts';
import type { Home } from './restore-places.ts';
import { journalPath } from './restore-places.ts';

/** A former content, with its record. */
export interface Kept extends KeptRecord {
  readonly home: Home;
  readonly before: Buffer;
}

/** For one who holds the target's lock. Newest first. Without the records whose former content someone has removed by hand. */
export async function allKept(calls: FileCalls, target: Buffer): Promise<readonly Kept[]> {
  return await thereOf(calls, await allRecords(calls, target));
}

/** The same without the lock, beside whatever is at work: what that has half exchanged is not among them. */
export async function keptBeside(calls: FileCalls, target: Buffer, signal: AbortSignal | undefined): Promise<readonly Kept[]> {
  for (;;) {
    throwIfCancelled(signal, 'undo');
    const journals = await journalsOf(calls, target);
    let kept: readonly Kept[];
    try {
      kept = await thereOf(calls, await allRecords(calls, target, underWay(journals)));
    } catch (error) {
      // Each was looked at before it was read: what is gone all the same was taken away meanwhile. So may be what made it unreadable.
      if (isErrno(error, 'ENOENT', 'ENOTDIR') || !same(journals, await journalsOf(calls, target))) continue;
      throw error;
    }
    // Once a run has gone a step on, what was read may be of both.
    if (same(journals, await journalsOf(calls, target))) return kept;
  }
}

/** Newest first. `without`: names that are not read. */
export async function allRecords(calls: FileCalls, target: Buffer, without: ReadonlySet<string> = new Set()): Promise<readonly Kept[]> {
  const all: Kept[] = [];
  for (const home of homesOf(target)) {
    for (const record of await keptRecords(calls, home, without))
      all.push({ ...record, home, before: join(home.folder, record.head.before) });
  }
  return all.sort((a, b) => b.head.seq - a.head.seq || b.head.time - a.head.time);
}

export async function isThere(calls: FileCalls, kept: Kept): Promise<boolean> {
  return (await look(calls, kept.before)) !== null;
}

async function thereOf(calls: FileCalls, records: readonly Kept[]): Promise<readonly Kept[]> {
  const there: Kept[] = [];
  for (const kept of records) if (await isThere(calls, kept)) there.push(kept);
  return there;
}

async function journalsOf(calls: FileCalls, target: Buffer): Promise<readonly (Journal | null)[]> {
  return await Promise.all(homesOf(target).map((home) => readJournal(calls, journalPath(home))));
}

function same(one: readonly (Journal | null)[], other: readonly (Journal | null)[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The record that a run writes may be half written; the one it uses up is whole and valid until something has moved. */
function underWay(journals: readonly (Journal | null)[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const journal of journals) {
    if (journal === null) continue;
    names.add(journal.record);
    if (journal.consumes !== null && journal.state !== 'old') names.add(journal.consumes);
  }
  return names;
}
