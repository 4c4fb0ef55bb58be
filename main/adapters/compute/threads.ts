import { asFault, Fault } from '../../contract/faults.ts';
import type { Monitor } from './monitor.ts';
import { runOnThread } from './thread-pool.ts';
import type { ThreadRequest } from './thread-tasks.ts';

/**
 * Runs the tasks of one job, each on a thread of its own, and settles when all have ended. The first fault, of a task, of `onMessage` or by
 * `signal`, stops them all and is what the promise rejects with. `onMessage` is called in order, each call after the one before has settled.
 */
export async function runThreads(
  requests: readonly ThreadRequest[],
  monitor: Monitor,
  onMessage: (message: { kind: string }) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  let failure: Fault | null = null;
  const fail = (error: unknown): void => {
    // What a stopped thread says of being stopped is no news.
    failure ??= asFault(error, 'run threads');
    monitor.stop();
  };
  const onAbort = (): void => fail(new Fault('cancelled', 'cancelled', { operation: 'run' }));
  if (signal?.aborted) throw new Fault('cancelled', 'cancelled', { operation: 'run' });
  signal?.addEventListener('abort', onAbort, { once: true });
  let queue: Promise<void> = Promise.resolve();
  /** In order: what a thread said before it failed is heard first. */
  const inTurn = (act: () => Promise<void> | void): void => {
    queue = queue.then(act).catch(fail);
  };
  const runs = requests.map(async (request) => {
    try {
      const { fault } = await runOnThread(request, (message) =>
        inTurn(() => (failure === null ? onMessage(message as { kind: string }) : undefined)),
      );
      if (fault !== null) inTurn(() => fail(Fault.fromWire(fault)));
    } catch (error) {
      fail(error);
    }
  });
  try {
    await Promise.all(runs);
    await queue;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  if (failure !== null) throw failure;
}
