import { parentPort, workerData } from 'node:worker_threads';
import { asFault } from '../../contract/faults.ts';

/** Runs a worker's task; whatever it throws reaches the main thread as a fault, never as a silent exit. */
export function runWorker<Task>(operation: string, run: (task: Task, tell: (message: unknown) => void) => void): void {
  const port = parentPort;
  if (port === null) throw new Error(`${operation} runs in a worker thread only`);
  try {
    run(workerData as Task, (message) => port.postMessage(message));
  } catch (error) {
    port.postMessage({ kind: 'fault', fault: asFault(error, operation).toWire() });
  }
}
