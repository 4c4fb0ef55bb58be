import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'regular' | 'last-resort' }) => void;

/**
 * Collects garbage as a whole and gives the memory back to the system. V8 does so when it needs room, not when it has time: a service that waits
 * for the night would keep all that its start or its last job has used. Only the last resort makes the young generation small again, too.
 */
export function releaseMemory(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/**
 * The flag is the whole process's: another thread may take it back before our context has been made, so that is tried again. It does not stay set, as
 * V8 takes no compiled code from Node's cache that was made under other flags: each thread that starts would compile its sources anew, 80 ms a backup.
 */
function collector(): Collect {
  for (;;) {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext("typeof gc === 'function' ? gc : null") as Collect | null;
    setFlagsFromString('--no-expose-gc');
    if (collect !== null) return collect;
  }
}

/** More than most trees have, and fifteen times in a million; a collection takes some ten milliseconds. */
const entriesBetween = 2 ** 16;

/**
 * To be called for each entry by a thread that goes through all of them: collects now and then. With the small young generation of our threads what an
 * entry leaves is soon among the old, and V8 lets that gather: 37 MB in a thread that held 12.
 */
export function entryCounter(): () => void {
  const collected = collectEach(entriesBetween, 'regular');
  return () => collected(1);
}

/** What the lines of so many entries have, about. */
const bytesBetween = 16 * 2 ** 20;

/** The same for whoever reads a manifest on the main thread, whose young generation is large: 85 to 135 MB in one that held 20. */
export async function* collectingMeanwhile<Piece extends Uint8Array>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  const collected = collectEach(bytesBetween, 'last-resort');
  for await (const piece of pieces) {
    collected(piece.length);
    yield piece;
  }
}

function collectEach(amount: number, flavor: 'regular' | 'last-resort'): (passed: number) => void {
  let rest = amount;
  return (passed) => {
    rest -= passed;
    if (rest > 0) return;
    rest = amount;
    collector()({ type: 'major', execution: 'sync', flavor });
  };
}

/**
 * The same, and what the C library holds back of what native code has freed, and what only the start has needed of the program itself. Worth the
 * loading of the C library before a job, which adds its own to what there is, and after it.
 */
export async function releaseAllMemory(): Promise<void> {
  releaseMemory();
  await nextTurn();
  const { libc } = await import('./libc.ts');
  libc()?.malloc_trim?.(0);
  await nextTurn();
  const { releaseProgramPages } = await import('./program-pages.ts');
  releaseProgramPages();
}
