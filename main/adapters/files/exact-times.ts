import { futimesSync, lutimesSync } from 'node:fs';
import { splitNanoseconds } from '../../engine/archive/nanoseconds.ts';
import { libc } from '../system/libc.ts';

/*
 * Node sets times as a double of seconds, which is exact to about 200 nanoseconds. A restored file has the time it had, so libc's
 * own calls are used where there is a libc to call.
 */
const atWorkingFolder = -100;
const symlinkNoFollow = 0x100;

function timespecs(mtimeNs: bigint): BigInt64Array {
  const { seconds, rest } = splitNanoseconds(mtimeNs);
  return BigInt64Array.of(seconds, rest, seconds, rest);
}

/** Sets access and modification time of an open file or folder. */
export function setTimes(handle: number, mtimeNs: bigint): void {
  if (libc()?.futimens(handle, timespecs(mtimeNs)) === 0) return;
  futimesSync(handle, Number(mtimeNs) / 1e9, Number(mtimeNs) / 1e9);
}

/** The same of a symbolic link itself. */
export function setLinkTimes(path: Buffer, mtimeNs: bigint): void {
  const zeroEnded = Buffer.concat([path, Buffer.of(0)]);
  if (libc()?.utimensat(atWorkingFolder, zeroEnded, timespecs(mtimeNs), symlinkNoFollow) === 0) return;
  lutimesSync(path, Number(mtimeNs) / 1e9, Number(mtimeNs) / 1e9);
}
