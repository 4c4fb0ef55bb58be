import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

/**
 * Collects garbage as a whole and gives the memory back to the system. V8 does so when it needs room, not when it has time: a service that waits
 * for the night would keep all that its start or its last job has used. Only the last resort makes the young generation small again, too.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
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
