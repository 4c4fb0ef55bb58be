import type { FileCalls } from './file-calls.ts';
import { join, look } from './file-calls.ts';
import type { Home } from './restore-places.ts';
import { checkHead } from './own-names.ts';
import { beforeName, recordName, stampOf, stampOfRecord } from './restore-places.ts';
import type { RecordHead } from './swap-record.ts';
import { readHead } from './swap-record.ts';

/** An undo record beside (or in) its target. */
export interface KeptRecord {
  readonly name: string;
  readonly head: RecordHead;
}

/** Every undo record of one home but those named in `without`, which are not read. Faults: corrupt. */
export async function keptRecords(calls: FileCalls, home: Home, without: ReadonlySet<string> = new Set()): Promise<readonly KeptRecord[]> {
  const records: KeptRecord[] = [];
  if ((await look(calls, home.folder))?.isDirectory() !== true) return records;
  for await (const bytes of calls.names(home.folder)) {
    const name = bytes.toString();
    // A user's own file may have a name that only begins like ours.
    if (stampOfRecord(home, name) === null || without.has(name)) continue;
    const head = await readHead(calls, join(home.folder, name));
    if (head === null) continue;
    checkHead(home, name, head, join(home.folder, name));
    records.push({ name, head });
  }
  return records;
}

/** Names for the next swap that nothing has yet, and its place in the order. */
export async function nextRecord(calls: FileCalls, home: Home, time: number): Promise<{ record: string; before: string; seq: number }> {
  const seq = Math.max(0, ...(await keptRecords(calls, home)).map(({ head }) => head.seq)) + 1;
  for (let number = 1; ; number++) {
    const stamp = number === 1 ? stampOf(time) : `${stampOf(time)}-${number}`;
    const [record, before] = [recordName(home, stamp), beforeName(home, stamp)];
    if ((await look(calls, join(home.folder, record))) === null && (await look(calls, join(home.folder, before))) === null) {
      return { record, before, seq };
    }
  }
}
