import { existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Fault } from '../../contract/faults.ts';

/** The room that temporary files may take, and what to say where there is none. */

const mib = 2 ** 20;
/** Between two looks at what is free: others fill the disk as well. */
const longestStretch = 64 * mib;
const largestReserve = 1024 * mib;

/** TMPDIR where it is set; else /var/tmp, because /tmp is memory on many machines and a classic ZIP is as large as its server. */
export function spoolFolder(): string {
  return process.env['TMPDIR'] === undefined && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
}

const otherPlace = '(TMPDIR names another place)';
const next = 'Free space there, or set TMPDIR to a folder that has more.';

/** A temporary file that cannot be made or written, as a fault that says where. */
export function spoolFault(cause: unknown, folder = spoolFolder()): Fault {
  const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  const reason = cause instanceof Error ? cause.message : String(cause);
  const operation = 'write temporary file';
  if (full) {
    return new Fault('disk-full', `no space left for temporary files in ${folder} ${otherPlace}`, {
      operation,
      context: { folder, next },
      cause,
    });
  }
  return new Fault('permission-denied', `temporary files cannot be written in ${folder}: ${reason} ${otherPlace}`, {
    operation,
    context: { folder },
    cause,
  });
}

/** Fault disk-full, with both figures, where fewer than `room` bytes are free. */
export function refuseWithout(room: number, folder: string): void {
  const free = freeIn(folder);
  if (free >= room) return;
  const message = `temporary files will take at least ${room} bytes in ${folder}, and ${free} are free there ${otherPlace}`;
  throw new Fault('disk-full', message, {
    operation: 'write temporary file',
    context: { folder, neededBytes: room, freeBytes: free, next },
  });
}

/**
 * For a file of which nobody knows how long it gets: to be asked before each `bytes` that are written. A tenth of what is free now, and no more than 1 GiB,
 * stays free, so that neither a file that expands without end nor an honest one takes the disk away from what else lives on it. A tenth, and no fixed
 * number: what is small goes through on a disk that is nearly full, too. Fault disk-full.
 */
export function roomGuard(folder: string): (bytes: number) => void {
  const reserve = Math.min(largestReserve, Math.floor(freeIn(folder) / 10));
  let written = 0;
  let allowance = 0;
  return (bytes) => {
    allowance -= bytes;
    if (allowance < 0) {
      const room = freeIn(folder) - reserve - bytes;
      if (room < 0) throw outOfRoom(folder, written, reserve);
      // Half of it, because there is more than one that writes.
      allowance = Math.min(longestStretch, room / 2);
    }
    written += bytes;
  };
}

function outOfRoom(folder: string, written: number, reserve: number): Fault {
  const message = `a temporary file in ${folder} has come to ${written} bytes and wants more, and the ${reserve} that are left there stay free ${otherPlace}`;
  return new Fault('disk-full', message, {
    operation: 'write temporary file',
    context: {
      folder,
      writtenBytes: written,
      reservedBytes: reserve,
      next: `${next} If it is far more than the folder that was backed up can have been, the file was made to expand without end: remove that snapshot.`,
    },
  });
}

function freeIn(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    throw spoolFault(error, folder);
  }
}
