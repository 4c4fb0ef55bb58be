import koffi from 'koffi';

/** The few calls of the C library that Node has no way to make. */
export interface Libc {
  futimens(handle: number, times: BigInt64Array): number;
  utimensat(folder: number, path: Uint8Array, times: BigInt64Array, flags: number): number;
  mallopt(parameter: number, value: number): number;
  madvise(address: number, length: number, advice: number): number;
  /** Null where there is none (musl). */
  readonly malloc_trim: ((pad: number) => number) | null;
}

let found: Libc | null | undefined;

/** Null where there is no libc of Linux: callers have a way without it. */
export function libc(): Libc | null {
  if (found === undefined) found = process.platform === 'linux' ? load(['libc.so.6', 'libc.so']) : null;
  return found;
}

/** glibc's name first, then musl's. */
function load(names: readonly string[]): Libc | null {
  for (const name of names) {
    try {
      const library = koffi.load(name);
      return {
        futimens: library.func('int futimens(int, const void *)') as Libc['futimens'],
        utimensat: library.func('int utimensat(int, const void *, const void *, int)') as Libc['utimensat'],
        mallopt: library.func('int mallopt(int, int)') as Libc['mallopt'],
        madvise: library.func('int madvise(size_t, size_t, int)') as Libc['madvise'],
        malloc_trim: trimOf(library),
      };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return null;
}

function trimOf(library: ReturnType<typeof koffi.load>): Libc['malloc_trim'] {
  try {
    return library.func('int malloc_trim(size_t)') as Libc['malloc_trim'];
  } catch {
    // musl gives memory back by itself.
    return null;
  }
}

const arenaMax = -8;
let limited = false;

/**
 * Lets all threads share two malloc arenas. By default glibc gives each its own, and what one has freed no other can use: with a
 * thread for every stage that costs 20 to 40 MB. Called before the first thread is started.
 */
export function shareMallocArenas(): void {
  if (limited) return;
  limited = true;
  libc()?.mallopt(arenaMax, 2);
}
