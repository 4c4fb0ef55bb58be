import { Worker } from 'node:worker_threads';
import { Fault } from '../../contract/faults.ts';
import type { WireFault } from '../../contract/faults.ts';
import { shareMallocArenas } from '../system/libc.ts';
import type { Monitor } from './monitor.ts';

export interface ThreadSpec {
  readonly script: URL;
  readonly task: unknown;
}

/**
 * Starts the threads of one job and settles when all have ended. The first fault, of a thread, of `onMessage` or by `signal`, stops
 * them all and is what the promise rejects with. `onMessage` is called in order, each call after the one before has settled.
 */
export async function runThreads(
  threads: readonly ThreadSpec[],
  monitor: Monitor,
  onMessage: (message: { kind: string }) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  shareMallocArenas();
  let failure: Fault | null = null;
  const fail = (fault: Fault): void => {
    // What a stopped thread says of being stopped is no news.
    failure ??= fault;
    monitor.stop();
  };
  const onAbort = (): void => fail(new Fault('cancelled', 'cancelled', { operation: 'run' }));
  if (signal?.aborted) throw new Fault('cancelled', 'cancelled', { operation: 'run' });
  signal?.addEventListener('abort', onAbort, { once: true });
  let queue: Promise<void> = Promise.resolve();
  const exits = threads.map(({ script, task }) => {
    const worker = new Worker(script, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 2 } });
    worker.on('message', (message: { kind: string; fault?: WireFault }) => {
      queue = queue.then(async () => {
        // In order: what a thread said before it failed is heard first.
        if (message.kind === 'fault' && message.fault !== undefined) fail(Fault.fromWire(message.fault));
        else if (failure === null) await onMessage(message);
      });
      queue.catch((error: unknown) => fail(toFault(error)));
    });
    worker.on('error', (error) => fail(toFault(error)));
    return new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  });
  try {
    await Promise.all(exits);
    await queue.catch((error: unknown) => fail(toFault(error)));
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  if (failure !== null) throw failure;
}

function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('unexpected', error instanceof Error ? error.message : String(error), { operation: 'run threads', cause: error });
}
