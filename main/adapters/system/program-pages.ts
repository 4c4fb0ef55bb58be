import { readFileSync } from 'node:fs';
import { libc } from './libc.ts';

export interface Stretch {
  readonly address: number;
  readonly length: number;
}

const dontNeed = 4;

/**
 * Takes the pages of the program's own file out of this process's memory: Node and its snapshot, of which the start needs twice as much as
 * what follows. What is used again comes back from the system's cache. Linux only.
 */
export function releaseProgramPages(): void {
  const system = libc();
  if (system === null) return;
  for (const { address, length } of cleanStretches(readFileSync('/proc/self/smaps', 'latin1'), process.execPath)) {
    // Refused is no harm: then they stay.
    system.madvise(address, length, dontNeed);
  }
}

/**
 * Where `file` lies in memory as it is on the disk, by the text of `/proc/<pid>/smaps` (proc(5)). A stretch that may be written, or of which one page is
 * the process's own, as where the linker has put addresses, is left out: what was written there would be gone.
 */
export function cleanStretches(smaps: string, file: string): readonly Stretch[] {
  const found: Stretch[] = [];
  let current: Stretch | null = null;
  for (const line of smaps.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)$/.exec(line);
    if (head !== null) {
      const [, start = '', end = '', rights, name] = head;
      const address = Number.parseInt(start, 16);
      current = name === file && rights?.[1] === '-' ? { address, length: Number.parseInt(end, 16) - address } : null;
    } else if (current !== null && /^Anonymous: +0 kB$/.test(line)) {
      found.push(current);
      current = null;
    }
  }
  return found;
}
