import { futimesSync, lutimesSync } from 'node:fs';
import koffi from 'koffi';

/*
 * Node sets times as a double of seconds, which is exact to about 200 nanoseconds. A restored file has the time it had, so libc's
 * own calls are used where there is a libc to call.
 */
const atWorkingFolder = -100;
const symlinkNoFollow = 0x100;

interface Calls {
  futimens(handle: number, times: BigInt64Array): number;
  utimensat(folder: number, path: Uint8Array, times: BigInt64Array, flags: number): number;
}

let calls: Calls | null | undefined;

function libc(): Calls | null {
  if (calls !== undefined) return calls;
  calls = null;
  if (process.platform !== 'linux') return calls;
  for (const name of ['libc.so.6', 'libc.so']) {
    try {
      const library = koffi.load(name);
      calls = {
        futimens: library.func('int futimens(int, const void *)') as Calls['futimens'],
        utimensat: library.func('int utimensat(int, const void *, const void *, int)') as Calls['utimensat'],
      };
      return calls;
    } catch (error) {
      // glibc's name first, musl's second; without either Node's own rounding is what there is.
      if (!(error instanceof Error)) throw error;
    }
  }
  return calls;
}

function timespecs(mtimeNs: bigint): BigInt64Array {
  let seconds = mtimeNs / 1_000_000_000n;
  let nanoseconds = mtimeNs % 1_000_000_000n;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += 1_000_000_000n;
  }
  return BigInt64Array.of(seconds, nanoseconds, seconds, nanoseconds);
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
