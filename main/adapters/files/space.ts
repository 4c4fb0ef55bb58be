import { Fault } from '../../contract/faults.ts';
import type { FileCalls } from './file-calls.ts';
import { shown } from './file-calls.ts';

/** Faults: disk-full, with what is needed and what is free. Five per cent more than the content: the file system needs room itself. */
export async function refuseWhenFull(calls: FileCalls, folder: Buffer, bytes: number, entries: number): Promise<void> {
  const free = await calls.statfs(folder);
  const needed = BigInt(Math.ceil(bytes * 1.05));
  if (free.freeBytes < needed) {
    throw new Fault(
      'disk-full',
      `the restore needs ${needed} bytes (its content and 5 %), and ${shown(folder)} has ${free.freeBytes} bytes free`,
      {
        operation: 'restore',
        context: { folder: shown(folder), neededBytes: Number(needed), freeBytes: Number(free.freeBytes) },
      },
    );
  }
  // Some file systems make entries as they need them and count none.
  if (free.countsFiles && free.freeFiles < BigInt(entries)) {
    throw new Fault(
      'disk-full',
      `the restore makes ${entries} files, folders and links, and the file system of ${shown(folder)} has room for ${free.freeFiles} more`,
      {
        operation: 'restore',
        context: { folder: shown(folder), neededFiles: entries, freeFiles: Number(free.freeFiles) },
      },
    );
  }
}
