import { threadCpuUsage } from 'node:process';
import { asFault } from '../../contract/faults.ts';
import type { WireFault } from '../../contract/faults.ts';

/** The last that a thread says of a task. All else that it says is the task's own. */
export interface TaskEnd {
  readonly kind: 'task-end';
  /** Why the task was not done; null: it was. */
  readonly fault: WireFault | null;
  /** The thread is as good as new. */
  readonly isFresh: boolean;
}

/** Settled when the task is done: tasks block their thread. */
export type ThreadTask<About> = (about: About, tell: (message: unknown) => void) => TaskEnd;

/** Milliseconds of processor time after which a thread ends with its task: what that has left takes room, and to start one costs little beside it. */
const maxKeptMs = 100;

/** Whatever a task throws reaches the main thread as a fault, never as a silent end. */
export function threadTask<About>(operation: string, run: (about: About, tell: (message: unknown) => void) => void): ThreadTask<About> {
  return (about, tell) => {
    const before = threadMs();
    try {
      run(about, tell);
    } catch (error) {
      return failedTask(error, operation);
    }
    return { kind: 'task-end', fault: null, isFresh: threadMs() - before < maxKeptMs };
  };
}

/** The thread ends as well: it may have files open. */
export function failedTask(error: unknown, operation: string): TaskEnd {
  return { kind: 'task-end', fault: asFault(error, operation).toWire(), isFresh: false };
}

function threadMs(): number {
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}
