import { readFileSync, readlinkSync } from 'node:fs';

/**
 * What names one process for good. A pid alone is given out again; with the moment the process began and the boot it belongs to
 * it is unique on one computer, as far as one pid namespace reaches.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the start of the process: proc(5), stat field 22. `0` where there is no /proc. */
  readonly start: string;
  /** 32 hex digits, new at each boot. `0` where there is none. */
  readonly boot: string;
  /** Inode of the pid namespace: another container's pids say nothing here. `0` where there is none. */
  readonly namespace: string;
}

export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, start: statOf(process.pid)?.start ?? '0', ...surroundings() };
}

/** Whether the process may still run. False is certain and stays so; what cannot be known counts as running. */
export function mayBeRunning(identity: ProcessIdentity): boolean {
  const here = surroundings();
  if (identity.boot !== here.boot) return false;
  if (identity.namespace !== here.namespace) return true;
  if (!takesSignals(identity.pid)) return false;
  const stat = statOf(identity.pid);
  // Signals reach it, yet /proc hides it (hidepid, no /proc): whether it is the same process cannot be seen.
  if (stat === undefined) return true;
  // A zombie has closed its files and will do nothing more; it only waits for its parent to notice.
  return stat.start === identity.start && !['Z', 'X'].includes(stat.state);
}

/** Runs, or ran, on this kernel in another pid namespace: what is known of pids here says nothing about it. */
export function isElsewhere(identity: ProcessIdentity): boolean {
  const here = surroundings();
  return identity.boot === here.boot && identity.namespace !== here.namespace;
}

function surroundings(): Pick<ProcessIdentity, 'boot' | 'namespace'> {
  const boot = tryRead(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))?.replace(/[^0-9a-f]/g, '');
  const namespace = tryRead(() => readlinkSync('/proc/self/ns/pid'))?.replace(/[^0-9]/g, '');
  return { boot: boot ?? '0', namespace: namespace ?? '0' };
}

/** Signal 0 is only a question; EPERM means the process is there and somebody else's. */
function takesSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function statOf(pid: number): { readonly state: string; readonly start: string } | undefined {
  const text = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // Field 2 is the program's name in brackets and may itself hold spaces and brackets: the rest begins after the last one.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields?.[0], fields?.[19]];
  return state === undefined || start === undefined ? undefined : { state, start };
}

function tryRead(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    // No /proc, or none of this process: the caller goes by what is left.
    return undefined;
  }
}
