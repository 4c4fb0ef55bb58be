import { Worker } from 'node:worker_threads';
import { shareMallocArenas } from '../system/libc.ts';
import type { TaskEnd } from './thread-task.ts';
import type { ThreadRequest } from './thread-tasks.ts';

/**
 * A thread costs 50 ms of processor time to start, more than most tasks of a small folder, and the steps of a restore, or a backup and what is
 * looked at after it, follow each other within moments.
 */
const idleMs = 1000;

/** Threads without a task, the last one to have had one last. */
const idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];

/**
 * Lets a thread do a task and settles with how it ended; rejects where the thread itself did. `hear` gets all that the task says, in order.
 * A thread that is as good as new waits a second for another task; any other ends, and with it what it had open is closed.
 */
export function runOnThread(request: ThreadRequest, hear: (message: unknown) => void): Promise<TaskEnd> {
  const worker = takeThread();
  return new Promise((settle, reject) => {
    const onMessage = (message: { readonly kind: string }): void => {
      if (message.kind === 'task-end') end(message as TaskEnd);
      else hear(message);
    };
    const onError = (error: Error): void => reject(error);
    const onExit = (): void => reject(new Error('a thread has ended before its task'));
    const end = (how: TaskEnd): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      if (how.isFresh) {
        putThread(worker);
        settle(how);
      } else worker.terminate().then(() => settle(how), reject);
    };
    worker.on('message', onMessage).once('error', onError).once('exit', onExit);
    worker.postMessage(request);
  });
}

function takeThread(): Worker {
  const found = idle.pop();
  if (found !== undefined) {
    clearTimeout(found.timer);
    found.worker.ref();
    return found.worker;
  }
  shareMallocArenas();
  const worker = new Worker(new URL('./thread-worker.ts', import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: 2 } });
  // Where it ends without a task, nobody else hears of it, and a task that is given to it then would never end.
  return worker.on('error', () => forget(worker)).on('exit', () => forget(worker));
}

function putThread(worker: Worker): void {
  worker.unref();
  idle.push({ worker, timer: setTimeout(() => endThread(worker), idleMs).unref() });
}

function forget(worker: Worker): void {
  const at = idle.findIndex((rest) => rest.worker === worker);
  if (at < 0) return;
  clearTimeout(idle[at]?.timer);
  idle.splice(at, 1);
}

function endThread(worker: Worker): void {
  forget(worker);
  void worker.terminate();
}
