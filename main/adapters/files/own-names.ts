import { Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { join, look, shown } from './file-calls.ts';
import type { Journal } from './journal.ts';
import type { Home } from './restore-places.ts';
import { beforeName, isBeforeName, journalPath, stagingName, stampOfRecord } from './restore-places.ts';
import type { RecordHead } from './swap-record.ts';
import { readHead } from './swap-record.ts';

/**
 * Journals and records say what is to be removed and renamed, and lie where others may write: in a target, or beside one inside a
 * folder that came out of a snapshot. They are believed only where they name what this code itself would have made for this target.
 * Faults: corrupt, with the journal's name; nothing has been touched then.
 */
export async function checkJournal(calls: FileCalls, home: Home, journal: Journal): Promise<void> {
  const path = journalPath(home);
  const { operation, id, staging, record, consumes } = journal;
  const names = operation === 'restore' ? staging === stagingName(home, id) && consumes === null : staging === null && consumes !== null;
  if (!names) throw odd(path, 'names what no restore of this target has made');
  for (const name of consumes === null ? [record] : [record, consumes]) {
    if (stampOfRecord(home, name) === null) throw odd(path, `names ${name}, which is no undo record of this target`);
    // One of state old may be half written, and is only removed.
    if (journal.state === 'old') continue;
    const head = await readHead(calls, join(home.folder, name));
    if (head !== null) checkHead(home, name, head, path);
  }
  if (staging !== null) await checkStaging(calls, path, join(home.folder, staging));
}

/** `source`: the file to blame. */
export function checkHead(home: Home, name: string, head: RecordHead, source: Buffer): void {
  const stamp = stampOfRecord(home, name);
  if (stamp === null || head.before !== beforeName(home, stamp)) throw odd(source, `leads to ${head.before}, which is no former content`);
  const staging = stagingName(home, head.id);
  // What an undo brings back is a former content.
  const staged = head.staged === staging || head.staged === `${staging}/tree` || isBeforeName(home, head.staged);
  if (!staged) throw odd(source, `leads to ${head.staged}, which no restore of this target has made`);
}

/**
 * No link, and ours. Its mode tells nothing: a whole tree that waits has the former folder's. As root its owner tells nothing either,
 * for the same reason; and where a file system makes up owners, the journal beside it has the same one.
 */
async function checkStaging(calls: FileCalls, journal: Buffer, staging: Buffer): Promise<void> {
  const found = await look(calls, staging);
  if (found === null) return;
  const me = process.geteuid?.() ?? 0;
  const ours = me === 0 || found.uid === BigInt(me) || found.uid === (await calls.lstat(journal)).uid;
  if (!found.isDirectory() || !ours) throw odd(journal, `names ${shown(staging)}, which is no folder that this user has made`);
}

function odd(source: Buffer, why: string): Fault {
  return new Fault('corrupt', `${shown(source)} ${why}; nothing was touched`, { operation: 'recover', context: { path: shown(source) } });
}
