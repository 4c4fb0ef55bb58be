import type { FileCalls } from './file-calls.ts';
import { join, look } from './file-calls.ts';
import type { Home } from './restore-places.ts';
import { beforeName, recordName, stampOf } from './restore-places.ts';
import type { RecordHead } from './swap-record.ts';
import { readHead } from './swap-record.ts';

/** An undo record beside (or in) its target. */
export interface KeptRecord {
  readonly name: string;
  readonly head: RecordHead;
}

/** Every undo record of one home. Faults: corrupt. */
export async function keptRecords(calls: FileCalls, home: Home): Promise<readonly KeptRecord[]> {
  const records: KeptRecord[] = [];
  if ((await look(calls, home.folder))?.isDirectory() !== true) return records;
  const start = Buffer.from(recordName(home, ''));
  for await (const bytes of calls.names(home.folder)) {
    if (!bytes.subarray(0, start.length).equals(start)) continue;
    const name = bytes.toString();
    const head = await readHead(calls, join(home.folder, name));
    if (head !== null) records.push({ name, head });
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
