import { Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { look, shown, unlessGone } from './file-calls.ts';
import type { Journal } from './journal.ts';
import { draftPath, readJournal } from './journal.ts';
import { checkJournal } from './own-names.ts';
import { lockTarget } from './restore-lock.ts';
import type { Home } from './restore-places.ts';
import { besideHome, insideHome, journalPath, resolveTarget } from './restore-places.ts';
import { finishNew, finishOld, goForward } from './swap-run.ts';

/** Finishes what a killed run left, under the target's lock. Returns what was done, in words. */
export async function recoverTarget(calls: FileCalls, typed: string): Promise<readonly string[]> {
  const { path } = await resolveTarget(calls, typed);
  if (!(await leftBehind(calls, path))) return [];
  const lock = await lockTarget(path);
  try {
    return await recoverLocked(calls, path);
  } finally {
    await lock.release();
  }
}

async function leftBehind(calls: FileCalls, target: Buffer): Promise<boolean> {
  for (const home of homesOf(target)) {
    const journal = journalPath(home);
    if ((await look(calls, journal)) !== null || (await look(calls, draftPath(journal))) !== null) return true;
  }
  return false;
}

/** The same for one who holds the lock. */
export async function recoverLocked(calls: FileCalls, target: Buffer): Promise<readonly string[]> {
  const words: string[] = [];
  for (const home of homesOf(target)) {
    const path = journalPath(home);
    const journal = await readJournal(calls, path);
    if (journal !== null) {
      await checkJournal(calls, home, journal);
      words.push(...(await finish(calls, home, journal)));
    }
    await unlessGone(calls.unlink(draftPath(path)));
  }
  return words;
}

export function homesOf(target: Buffer): readonly Home[] {
  return [besideHome(target), insideHome(target)];
}

async function finish(calls: FileCalls, home: Home, journal: Journal): Promise<readonly string[]> {
  const target = shown(home.target);
  const what = journal.operation === 'restore' ? `a restore of ${journal.id}` : `an undo (${journal.id})`;
  if (journal.state === 'old') {
    await finishOld(calls, home, journal);
    return [`${what} into ${target} was cut short before it changed anything; what it had prepared was removed`];
  }
  if (journal.state === 'new') {
    const { before, notes } = await finishNew(calls, home, journal);
    return [`${what} into ${target} was complete; its traces were removed${kept(before)}`, ...notes];
  }
  try {
    const { before, notes } = await goForward(calls, home, journal);
    return [`${what} into ${target} was cut short during the exchange; it is complete now${kept(before)}`, ...notes];
  } catch (error) {
    // Both ways were tried; only when the way back held is the target as it was, and then no journal is left.
    if ((await look(calls, journalPath(home))) !== null) throw error;
    const why = error instanceof Fault ? error.message : String(error);
    return [`${what} into ${target} was cut short during the exchange and was taken back (${why})`];
  }
}

function kept(before: string | null): string {
  return before === null ? '' : `; the former content lies at ${before}`;
}
